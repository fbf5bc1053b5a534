import { anchorsOf, linksOf, scriptsIn } from './doc-links.ts';

describe('links of a Markdown text', () => {
  it('are found inline, with titles and as references', () => {
    const text = 'See [a](docs/a.md), ![b](b.png "B") and [c][1].\n\n[1]: ../c.md#top\n';
    expect(linksOf(text)).toEqual(['docs/a.md', 'b.png', '../c.md#top']);
  });

  it('leave other hosts and code out', () => {
    const text = '[x](https://example.org) [y](mailto:a@example.org) `[z](z.md)`\n```\n[w](w.md)\n```\n';
    expect(linksOf(text)).toEqual([]);
  });
});

describe('anchors of a Markdown text', () => {
  it('are made the way GitHub makes them', () => {
    const text = '# Follow one order!\n## `npm start`, twice\n## Same\n## Same\n```\n# no heading\n```\n';
    expect([...anchorsOf(text)]).toEqual(['follow-one-order', 'npm-start-twice', 'same', 'same-1']);
  });
});

it('finds the scripts that a text tells to run', () => {
  const text = 'Run `npm run generate`, then\n  npm run --silent shop -- list\nand npm test.';
  expect(scriptsIn(text)).toEqual(['generate', 'shop']);
});
