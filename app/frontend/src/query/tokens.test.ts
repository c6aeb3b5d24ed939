import { expect, test } from "vitest";

import { tokens, writtenPath } from "./tokens";

test("every character is in one token, whatever is typed", () => {
  for (const text of ["SELECT 'a''b' FROM \"x\".y -- end", "/* open", "'open", '"open', "1.5e-3 .5 <=>|| :: é\u0000", ""]) {
    expect(tokens(text).map((token) => token.text).join("")).toBe(text);
  }
});

test("keywords are known in any case, and not inside of texts and comments", () => {
  const kinds = tokens("select 'from' /* where */ x").filter(({ kind }) => kind !== "space");
  expect(kinds.map(({ kind }) => kind)).toEqual(["keyword", "text", "comment", "name"]);
});

test("names are delimited where they have to be", () => {
  expect(writtenPath("gaiadr3.bright")).toBe("gaiadr3.bright");
  expect(writtenPath("x.Order")).toBe('x."Order"');
  expect(writtenPath("x.order")).toBe('x."order"');
});
