import "react";

declare module "react" {
  interface CSSProperties {
    // eslint-disable-next-line @typescript-eslint/consistent-indexed-object-style -- it adds to an interface of React's
    [property: `--${string}`]: string | undefined;
  }
}
