/** Cuts SQL into tokens. What it does not know is an error that shows where it stands. */

export type TokenKind = 'word' | 'quoted' | 'string' | 'number' | 'param' | 'operator' | 'end';

export interface Token {
  readonly kind: TokenKind;
  /** Words in lower case, strings without their quotes, parameters without their `$`. */
  readonly text: string;
  readonly at: number;
}

const TOKEN =
  /(?<blank>(?:\s+|--[^\n]*)+)|(?<word>[a-z_][\w$]*)|"(?<quoted>[^"]*)"|'(?<string>(?:[^']|'')*)'|\$\$(?<body>[^]*?)\$\$|(?<number>\d+(?:\.\d+)?)|\$(?<param>\d+)|(?<operator>::|<>|!=|<=|>=|->>|->|\|\||\?\||[-+*/%=<>~(),.;[\]])/iy;

export function tokensOf(sql: string): Token[] {
  const tokens: Token[] = [];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < sql.length) {
    const at = TOKEN.lastIndex;
    const groups = TOKEN.exec(sql)?.groups;
    if (!groups) throw new SyntaxError(`The simulated Postgres can't read: ${sql.slice(at, at + 40)}`);
    const token = tokenOf(groups, at);
    if (token) tokens.push(token);
  }
  tokens.push({ kind: 'end', text: '', at: sql.length });
  return tokens;
}

function tokenOf(groups: Record<string, string | undefined>, at: number): Token | undefined {
  const { word, quoted, string, body, number, param, operator } = groups;
  if (word !== undefined) return { kind: 'word', text: word.toLowerCase(), at };
  if (quoted !== undefined) return { kind: 'quoted', text: quoted, at };
  if (string !== undefined) return { kind: 'string', text: string.replaceAll("''", "'"), at };
  if (body !== undefined) return { kind: 'string', text: body, at };
  if (number !== undefined) return { kind: 'number', text: number, at };
  if (param !== undefined) return { kind: 'param', text: param, at };
  return operator === undefined ? undefined : { kind: 'operator', text: operator, at };
}
