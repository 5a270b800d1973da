import { useEffect, useState } from "react";
import { useLocation, useNavigationType, useSearchParams } from "react-router";

/** The state of a navigation by which a field tells the address what was put into it. */
export const TOLD = "told";

/**
 * What is in a field that the address tells too. The field is ahead: the address follows in its own time, so it is
 * heard only when a link or the history says something new.
 */
export function useTold(address: string): [string, (value: string) => void] {
  const { key, state } = useLocation();
  const way = useNavigationType();
  const [value, setValue] = useState(address);
  useEffect(() => {
    if (way === "POP" || state !== TOLD) setValue(address);
  }, [key]);
  return [value, setValue];
}

/** A parameter of the address, empty if it is not there; each change takes the place of the one before in the history. */
export function useParameter(name: string): [string, (value: string) => void] {
  const [parameters, setParameters] = useSearchParams();
  const [value, setValue] = useTold(parameters.get(name) ?? "");

  function set(next: string) {
    setValue(next);
    setParameters(
      (old) => {
        if (next) old.set(name, next);
        else old.delete(name);
        return old;
      },
      { replace: true, preventScrollReset: true, state: TOLD },
    );
  }

  return [value, set];
}
