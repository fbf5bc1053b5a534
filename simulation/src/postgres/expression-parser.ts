/** Reads expressions, by the precedences of Postgres. */
import type { Expression, OrderItem, Query } from './syntax.ts';
import { TokenStream } from './token-stream.ts';

const COMPARISONS = ['=', '<>', '!=', '<', '>', '<=', '>='];
const OTHERS = ['||', '->', '->>', '~', '?|'];
const CONSTANTS: Readonly<Record<string, boolean | null>> = { true: true, false: false, null: null };

export abstract class ExpressionParser extends TokenStream {
  protected abstract query(): Query;

  protected expression(): Expression {
    return this.leftToRight(['or'], () => this.conjunction());
  }

  private conjunction(): Expression {
    return this.leftToRight(['and'], () => this.negation());
  }

  private negation(): Expression {
    return this.accept('not') ? { kind: 'not', operand: this.negation() } : this.test();
  }

  private test(): Expression {
    let left = this.comparison();
    while (this.accept('is')) {
      const negated = this.accept('not');
      left = negate(this.isWhat(left), negated);
    }
    return left;
  }

  private isWhat(operand: Expression): Expression {
    if (this.accept('null')) return { kind: 'isNull', operand };
    if (this.accept('distinct', 'from')) {
      return { kind: 'binary', operator: 'is distinct from', left: operand, right: this.comparison() };
    }
    const value = CONSTANTS[this.name()];
    if (typeof value !== 'boolean') throw this.unexpected('what it is');
    const same: Expression = { kind: 'literal', value };
    return negate({ kind: 'binary', operator: 'is distinct from', left: operand, right: same }, true);
  }

  private comparison(): Expression {
    let left = this.membership();
    while (COMPARISONS.includes(this.peek().text) && this.peek().kind === 'operator') {
      const operator = this.next().text.replace('!=', '<>');
      left = this.accept('any') ? this.any(operator, left) : this.compared(operator, left);
    }
    return left;
  }

  private compared(operator: string, left: Expression): Expression {
    return { kind: 'binary', operator, left, right: this.membership() };
  }

  private any(operator: string, left: Expression): Expression {
    const array = this.inParentheses(() => (this.isQuery() ? this.query() : this.expression()));
    return { kind: 'any', operator, left, array };
  }

  private membership(): Expression {
    const operand = this.other();
    const negated = this.isAt('not') && ['in', 'between', 'like'].includes(this.peek(1).text) && this.accept('not');
    if (this.accept('in')) {
      const list = this.inParentheses(() => (this.isQuery() ? this.query() : this.list(() => this.expression())));
      return negate({ kind: 'in', operand, list }, negated);
    }
    if (this.accept('between')) {
      const low = this.other();
      this.expect('and');
      return negate(between(operand, low, this.other()), negated);
    }
    if (this.accept('like')) {
      return negate({ kind: 'binary', operator: 'like', left: operand, right: this.other() }, negated);
    }
    return operand;
  }

  private other(): Expression {
    return this.leftToRight(OTHERS, () => this.sum());
  }

  private sum(): Expression {
    return this.leftToRight(['+', '-'], () => this.leftToRight(['*', '/', '%'], () => this.signed()));
  }

  private signed(): Expression {
    return this.acceptSymbol('-') ? { kind: 'negative', operand: this.signed() } : this.cast();
  }

  private cast(): Expression {
    let operand = this.primary();
    while (this.acceptSymbol('::')) operand = { kind: 'cast', operand, type: this.type() };
    if (this.accept('collate')) this.name();
    return operand;
  }

  /** A type's name, with `[]` for an array of it. */
  protected type(): string {
    const first = this.name();
    const name = first === 'double' && this.accept('precision') ? 'float8' : first;
    if (this.isSymbol('(')) this.inParentheses(() => this.list(() => this.next()));
    return this.acceptSymbol('[') ? (this.expectSymbol(']'), `${name}[]`) : name;
  }

  private primary(): Expression {
    const token = this.peek();
    if (token.kind === 'param') return { kind: 'param', index: Number(this.next().text) - 1 };
    if (token.kind === 'string') return { kind: 'literal', value: this.next().text };
    if (token.kind === 'number') return { kind: 'literal', value: Number(this.next().text) };
    if (this.isSymbol('(')) return this.parenthesised();
    if (token.kind === 'word') return this.word();
    return this.column();
  }

  private parenthesised(): Expression {
    return this.inParentheses(() => {
      if (this.isQuery()) return { kind: 'scalar', query: this.query() };
      const items = this.list(() => this.expression());
      return items.length === 1 ? (items[0] as Expression) : { kind: 'row', items };
    });
  }

  private word(): Expression {
    const { text } = this.peek();
    if (text in CONSTANTS) {
      this.next();
      return { kind: 'literal', value: CONSTANTS[text] ?? null };
    }
    if (text === 'case') return this.case();
    if (text === 'interval' && this.peek(1).kind === 'string') {
      this.next();
      return { kind: 'interval', text: this.next().text };
    }
    if (this.accept('exists')) return { kind: 'exists', query: this.inParentheses(() => this.query()) };
    if (this.accept('array')) return this.array();
    if (this.isSymbol('(', 1)) return this.call();
    return this.column();
  }

  private array(): Expression {
    if (this.isSymbol('(')) return { kind: 'arrayOf', query: this.inParentheses(() => this.query()) };
    this.expectSymbol('[');
    const items = this.isSymbol(']') ? [] : this.list(() => this.expression());
    this.expectSymbol(']');
    return { kind: 'array', items };
  }

  private call(): Expression {
    const name = this.name();
    const call = this.inParentheses((): Expression => {
      if (name === 'extract') return this.extract();
      if (name === 'cast') return this.castCall();
      if (this.acceptSymbol('*') || this.isSymbol(')')) return { kind: 'call', name, args: [] };
      const distinct = this.accept('distinct');
      const args = this.list(() => this.expression());
      return { kind: 'call', name, args, distinct, orderBy: this.orderBy() };
    });
    return this.filtered(call);
  }

  /** `FILTER (WHERE …)` after an aggregate. */
  private filtered(call: Expression): Expression {
    if (call.kind !== 'call' || !this.accept('filter')) return call;
    const filter = this.inParentheses(() => {
      this.expect('where');
      return this.expression();
    });
    return { ...call, filter };
  }

  protected orderBy(): OrderItem[] {
    return this.accept('order', 'by') ? this.list(() => this.orderItem()) : [];
  }

  private orderItem(): OrderItem {
    const expression = this.expression();
    const descending = this.accept('desc') || (this.accept('asc'), false);
    if (this.accept('nulls', 'first')) return { expression, descending, nullsFirst: true };
    return { expression, descending, nullsFirst: this.accept('nulls', 'last') ? false : descending };
  }

  private extract(): Expression {
    const field = this.name();
    this.expect('from');
    return { kind: 'extract', field, operand: this.expression() };
  }

  private castCall(): Expression {
    const operand = this.expression();
    this.expect('as');
    return { kind: 'cast', operand, type: this.type() };
  }

  private case(): Expression {
    this.expect('case');
    const operand = this.isAt('when') ? undefined : this.expression();
    const branches = [];
    while (this.accept('when')) {
      const value = this.expression();
      const when: Expression = operand ? { kind: 'binary', operator: '=', left: operand, right: value } : value;
      this.expect('then');
      branches.push({ when, then: this.expression() });
    }
    const otherwise = this.accept('else') ? this.expression() : undefined;
    this.expect('end');
    return { kind: 'case', branches, otherwise };
  }

  private column(): Expression {
    const name = this.name();
    return this.acceptSymbol('.') ? { kind: 'column', table: name, name: this.name() } : { kind: 'column', name };
  }

  protected isQuery(): boolean {
    return this.isAt('select') || this.isAt('with') || this.isAt('values');
  }

  /** Operators of one precedence; words and symbols alike. */
  private leftToRight(operators: readonly string[], operand: () => Expression): Expression {
    let left = operand();
    while (operators.includes(this.peek().text) && ['word', 'operator'].includes(this.peek().kind)) {
      left = { kind: 'binary', operator: this.next().text, left, right: operand() };
    }
    return left;
  }
}

function negate(operand: Expression, negated: boolean): Expression {
  return negated ? { kind: 'not', operand } : operand;
}

function between(operand: Expression, low: Expression, high: Expression): Expression {
  const left: Expression = { kind: 'binary', operator: '>=', left: operand, right: low };
  return {
    kind: 'binary',
    operator: 'and',
    left,
    right: { kind: 'binary', operator: '<=', left: operand, right: high },
  };
}
