import { type FormEvent, useEffect, useRef } from "react";
import { useLocation, useNavigate, useSearchParams } from "react-router";

import { TOLD, useTold } from "./address";

/** Milliseconds without a key after which the search starts: about as long as between two keys. */
const PAUSE = 250;

/** The longest query that the gateway takes. */
const MOST_CHARACTERS = 200;

/** Searches while one types, and at once on Enter; the query is in the address of the results. */
export function SearchBox() {
  const { key, pathname, state } = useLocation();
  const [parameters] = useSearchParams();
  const navigate = useNavigate();
  const isOpen = pathname === "/search";
  const asked = isOpen ? (parameters.get("q") ?? "") : "";
  const [text, setText] = useTold(asked);
  const waiting = useRef<number>(undefined);

  // Whoever follows a link meanwhile does not want the results any more.
  useEffect(() => {
    if (state !== TOLD) clearTimeout(waiting.current);
  }, [key]);

  function search(query: string) {
    clearTimeout(waiting.current);
    const trimmed = query.trim();
    if (!trimmed && !isOpen) return;
    // One entry in the history for all that is typed.
    const search = `?${new URLSearchParams({ q: trimmed })}`;
    void navigate({ pathname: "/search", search }, { replace: isOpen, state: TOLD });
  }

  function type(query: string) {
    setText(query);
    clearTimeout(waiting.current);
    waiting.current = window.setTimeout(() => search(query), PAUSE);
  }

  function submit(event: FormEvent) {
    event.preventDefault();
    search(text);
  }

  return (
    <form role="search" className="search" onSubmit={submit}>
      <label htmlFor="search" className="unseen">
        Search packages and grids
      </label>
      <input
        id="search"
        type="search"
        value={text}
        placeholder="Search packages and grids"
        autoComplete="off"
        spellCheck={false}
        maxLength={MOST_CHARACTERS}
        onChange={(event) => type(event.target.value)}
      />
    </form>
  );
}
