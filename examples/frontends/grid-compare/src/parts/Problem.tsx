import { CombinedGraphQLErrors, type ErrorLike } from "@apollo/client";

interface ProblemProps {
  error: ErrorLike;
  /** Asks again. */
  retry: () => void;
  /** Whether some of the answer is there and shown. */
  partial?: boolean;
}

/** What went wrong, in a sentence for people, and a way on. */
export function Problem({ error, retry, partial = false }: ProblemProps) {
  return (
    <div className={partial ? "notice" : "problem"} role="alert">
      <p>
        <strong>{partial ? "Some of this could not be loaded." : "This could not be loaded."}</strong>{" "}
        {sentence(error)}
      </p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}

function sentence(error: ErrorLike): string {
  if (!CombinedGraphQLErrors.is(error)) return "The gateway cannot be reached; perhaps you are offline.";
  const first = error.errors[0];
  const code = String(first?.extensions?.code);
  if (code.startsWith("UPSTREAM_")) return "Django Packages does not answer, or was not read yet.";
  return first?.message ?? "The gateway does not say why.";
}
