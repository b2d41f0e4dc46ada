/** The key table for README.md. */
import { ACTIONS } from './actions.ts';

const code = (key: string) => `\`${key}\``;

/** All actions as a markdown table. */
export function keyTable(): string {
  const lines = ACTIONS.map((one) =>
    `| ${one.keys.map(code).join(' ')} | ${one.where.join(', ')} | ${one.title}${one.danger ? ' **(asks first)**' : ''} |`.replace(
      ' (asks first) **(asks first)**',
      ' **(asks first)**',
    ),
  );
  return ['| Keys | Where | What |', '|---|---|---|', ...lines].join('\n');
}
