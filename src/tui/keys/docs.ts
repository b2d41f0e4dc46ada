/** The key table for README.md. */
import { ACTIONS } from './actions.ts';

const code = (key: string) => `\`${key}\``;

/** All actions as a markdown table. */
export function keyTable(): string {
  const lines = ACTIONS.map((one) => {
    const asks = one.danger && !one.title.includes('asks first') ? ' (asks first)' : '';
    return `| ${one.keys.map(code).join(' ')} | ${one.where.join(', ')} | ${one.title}${asks} |`;
  });
  return ['| Keys | Where | What |', '|---|---|---|', ...lines].join('\n');
}
