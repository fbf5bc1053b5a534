/** Plans statements, each text once for a schema. */
import { ChangePlanner } from './changes.ts';
import { QueryPlanner, type QueryPlan } from './queries.ts';
import type { Schema } from './schema.ts';
import { parseStatement } from './statement-parser.ts';
import type { Statement } from './syntax.ts';

export class Planner {
  private readonly schema: Schema;
  private readonly plans = new Map<string, QueryPlan & { readonly command: string }>();

  constructor(schema: Schema) {
    this.schema = schema;
  }

  plan(text: string): QueryPlan & { readonly command: string } {
    const known = this.plans.get(text);
    if (known) return known;
    const statement = parseStatement(text);
    const command = statement.kind === 'query' ? 'SELECT' : statement.kind.toUpperCase();
    const plan = { ...this.planStatement(statement), command };
    this.plans.set(text, plan);
    return plan;
  }

  private planStatement(statement: Statement): QueryPlan {
    const queries = new QueryPlanner(this.schema, (inner) => planWith(inner));
    const changes = new ChangePlanner(this.schema, queries);
    const planWith = (inner: Statement): QueryPlan => {
      switch (inner.kind) {
        case 'query':
          return queries.plan(inner);
        case 'insert':
          return changes.insert(inner);
        case 'update':
          return changes.update(inner);
        case 'delete':
          return changes.delete(inner);
      }
    };
    return planWith(statement);
  }
}
