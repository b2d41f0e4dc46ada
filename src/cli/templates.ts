/** --format of the commands that show one object. */
import { compileTemplate, type TemplateOptions } from '../format/template.ts';
import { TemplateError } from '../format/template-parser.ts';
import { ExitError } from './errors.ts';
import { out } from './output.ts';

/**
 * The template's text on `data`. @throws TemplateError for a template that cannot be read; ExitError 1 in Go's words when it does not
 * fit the data (after the line break that Docker prints then too).
 */
export function executeTemplate(source: string, data: unknown, options: TemplateOptions = {}): string {
  const template = compileTemplate(source, options);
  try {
    return template.execute(data);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    out('\n');
    throw new ExitError(1, error.message);
  }
}
