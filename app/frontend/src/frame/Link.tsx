import type { AnchorHTMLAttributes, MouseEvent } from "react";

import { go } from "./location";

/** A link within the front end: an ordinary one for whoever opens it elsewhere, quick for a plain click. */
export function Link({ href, children, ...rest }: AnchorHTMLAttributes<HTMLAnchorElement> & { href: string }) {
  function follow(event: MouseEvent): void {
    if (event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey) {
      event.preventDefault();
      go(href);
    }
  }
  return (
    <a {...rest} href={href} onClick={follow}>
      {children}
    </a>
  );
}
