import "react";

declare module "react" {
  // eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- only an interface adds to React's own
  interface CSSProperties {
    [property: `--${string}`]: string | undefined;
  }
}
