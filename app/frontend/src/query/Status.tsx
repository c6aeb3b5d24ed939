import type { Fix, Position, QueryProblem } from "../api";
import { words } from "../words";
import type { Checked } from "./useCheck";

interface StatusProps {
  checked: Checked;
  /** What the last run was refused for, until the query changes. */
  refusal: QueryProblem | null;
  onFix: (fix: Fix) => void;
  onGo: (place: Position) => void;
}

/** One line under the editor, always there: what the query would do, or what is wrong with it and how to mend it. */
export function Status({ checked, refusal, onFix, onGo }: StatusProps) {
  const problem = checked.check?.problem ?? refusal;
  if (problem) {
    return (
      <div className="status bad" role="status">
        <span>{problem.detail}</span>
        {problem.fix && (
          <button type="button" className="small" onClick={() => onFix(problem.fix!)}>
            {words.query.fix(problem.fix.label)}
          </button>
        )}
        {problem.position && (
          <button type="button" className="plain" onClick={() => onGo(problem.position!)}>
            <span className="unseen">{words.query.goToError} </span>
            {words.query.place(problem.position.line, problem.position.column)} <kbd>F8</kbd>
          </button>
        )}
      </div>
    );
  }
  const plan = checked.check?.plan;
  return (
    <div className="status" role="status">
      <span>{sentence(checked)}</span>
      {plan?.advice.map((advice) => (
        <span key={advice} className="advice">
          {advice}
        </span>
      ))}
    </div>
  );
}

function sentence({ state, check }: Checked): string {
  switch (state) {
    case "empty":
      return words.query.empty;
    case "checking":
      return words.query.checking;
    case "away":
      return words.query.unchecked;
    case "checked":
      return check?.plan?.sentence ?? words.query.valid;
  }
}
