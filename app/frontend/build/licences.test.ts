import { expect, test } from "vitest";

import { packageOf } from "./licences";

test("a module's package is found, scoped or not; ours have none", () => {
  expect(packageOf("/c/node_modules/react/index.js")).toBe("/c/node_modules/react");
  expect(packageOf("\0/c/node_modules/@tanstack/query-core/build/x.js")).toBe("/c/node_modules/@tanstack/query-core");
  expect(packageOf("/c/src/main.tsx")).toBeNull();
});
