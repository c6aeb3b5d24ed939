/** The order after a click on a header: rising, falling, as stored; with Shift beside what it was sorted by. */
export function nextSort(sort: readonly string[], name: string, further: boolean): string[] {
  const now = sort.find((one) => one === name || one === `-${name}`);
  const next = now === undefined ? [name] : now === name ? [`-${name}`] : [];
  if (!further) return next;
  return now === undefined ? [...sort, name] : sort.flatMap((one) => (one === now ? next : [one]));
}
