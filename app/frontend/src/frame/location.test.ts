import { expect, test } from "vitest";

import { jobPage, placeOf, queryPage, resultPage } from "./location";

test("every address that is made is understood", () => {
  const place = (address: string) => placeOf(new URL(address, "https://a.org").pathname, new URL(address, "https://a.org").search);
  expect(place(jobPage("a-1"))).toEqual({ screen: "job", id: "a-1" });
  expect(place(resultPage("a-1"))).toEqual({ screen: "query", job: "a-1", query: null });
  expect(place(queryPage("SELECT 'a&b' + 1"))).toEqual({ screen: "query", job: null, query: "SELECT 'a&b' + 1" });
  expect(place("/query/jobs/")).toEqual({ screen: "jobs" });
});
