import { tokensOf, type Token } from './lexer.ts';

/** Reads tokens one by one. */
export class TokenStream {
  private readonly sql: string;
  private readonly tokens: readonly Token[];
  private position = 0;

  constructor(sql: string) {
    this.sql = sql;
    this.tokens = tokensOf(sql);
  }

  protected peek(ahead = 0): Token {
    return this.tokens[this.position + ahead] ?? (this.tokens.at(-1) as Token);
  }

  protected next(): Token {
    const token = this.peek();
    this.position += 1;
    return token;
  }

  /** True where the next tokens are these words. */
  protected isAt(...words: string[]): boolean {
    return words.every((word, ahead) => this.peek(ahead).kind === 'word' && this.peek(ahead).text === word);
  }

  protected accept(...words: string[]): boolean {
    if (!this.isAt(...words)) return false;
    this.position += words.length;
    return true;
  }

  protected expect(...words: string[]): void {
    if (!this.accept(...words)) throw this.unexpected(words.join(' '));
  }

  protected isSymbol(symbol: string, ahead = 0): boolean {
    return this.peek(ahead).kind === 'operator' && this.peek(ahead).text === symbol;
  }

  protected acceptSymbol(symbol: string): boolean {
    if (!this.isSymbol(symbol)) return false;
    this.position += 1;
    return true;
  }

  protected expectSymbol(symbol: string): void {
    if (!this.acceptSymbol(symbol)) throw this.unexpected(symbol);
  }

  protected name(): string {
    const token = this.next();
    if (token.kind !== 'word' && token.kind !== 'quoted') throw this.unexpected('a name');
    return token.text;
  }

  protected list<T>(item: () => T): T[] {
    const items = [item()];
    while (this.acceptSymbol(',')) items.push(item());
    return items;
  }

  protected inParentheses<T>(what: () => T): T {
    this.expectSymbol('(');
    const result = what();
    this.expectSymbol(')');
    return result;
  }

  protected end(): void {
    this.acceptSymbol(';');
    if (this.peek().kind !== 'end') throw this.unexpected('the end');
  }

  protected get isAtEnd(): boolean {
    return this.peek().kind === 'end';
  }

  protected unexpected(wanted: string): SyntaxError {
    const { at } = this.peek();
    return new SyntaxError(`The simulated Postgres wants ${wanted} at: ${this.sql.slice(at, at + 60)}`);
  }
}
