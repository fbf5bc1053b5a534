/** A form field: text, or a group of fields (`metadata[a]=1` is the group `metadata` with the field `a`). */
export type FormValue = string | FormGroup;
export interface FormGroup {
  [name: string]: FormValue;
}

/** Reads a form-encoded body or query with nested brackets, as Stripe's libraries send it. */
export function parseForm(encoded: string): FormGroup {
  const form = newGroup();
  for (const [name, value] of new URLSearchParams(encoded))
    assign(form, name.split(/\[|\]\[|\]/).filter(Boolean), value);
  return form;
}

// No prototype, so that a field named __proto__ is a field like any other.
function newGroup(): FormGroup {
  return Object.create(null) as FormGroup;
}

function assign(group: FormGroup, path: string[], value: string): void {
  const [name, ...rest] = path;
  if (name === undefined) return;
  if (rest.length === 0) {
    group[name] = value;
    return;
  }
  const existing = group[name];
  const inner = typeof existing === 'object' ? existing : newGroup();
  group[name] = inner;
  assign(inner, rest, value);
}

/** A text field; undefined where it is missing, empty or a group. */
export function text(form: FormGroup, name: string): string | undefined {
  const value = form[name];
  return typeof value === 'string' && value !== '' ? value : undefined;
}

/** A group of fields; an empty one where it is missing or a text. */
export function group(form: FormGroup, name: string): FormGroup {
  const value = form[name];
  return typeof value === 'object' ? value : newGroup();
}

/** A group's fields as texts; `expand[0]=a&expand[1]=b` gives their values by `Object.values`. */
export function texts(form: FormGroup, name: string): Record<string, string> {
  return Object.fromEntries(
    Object.entries(group(form, name)).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

/** The same text for the same fields in whatever order they came. */
export function canonical(form: FormGroup): string {
  const sorted = (value: FormValue): unknown =>
    typeof value === 'string'
      ? value
      : Object.keys(value)
          .sort()
          .map((name) => [name, sorted(value[name] ?? '')]);
  return JSON.stringify(sorted(form));
}
