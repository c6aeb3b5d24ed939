import { Component, type ReactNode } from "react";

import { words } from "../words";

/** Shows a sentence in place of a screen that failed; what was typed is kept by the browser. */
export class Boundary extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };

  static getDerivedStateFromError(): { failed: boolean } {
    return { failed: true };
  }

  override render(): ReactNode {
    if (!this.state.failed) {
      return this.props.children;
    }
    return (
      <div className="message bad" role="alert">
        <p>{words.frame.broken}</p>
        <button type="button" onClick={() => window.location.reload()}>
          {words.frame.reload}
        </button>
      </div>
    );
  }
}
