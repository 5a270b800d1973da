const format = new Intl.NumberFormat("en");

/** A number as people read it: 12,345. */
export function number(value: number): string {
  return format.format(value);
}

/** A number with its thing: "1 package", "2 packages". */
export function count(value: number, thing: string): string {
  return `${number(value)} ${thing}${value === 1 ? "" : "s"}`;
}
