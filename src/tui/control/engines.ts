/** The engines a person may switch to: offered by name, never taken by themselves. */
import { contextNames, galleyEndpoint, parseHost, resolveEndpoint } from '../../client/index.ts';
import type { Choice } from '../../store/index.ts';
import type { Desk } from './desk.ts';

/** galleyd's own address, other engines that answer, and docker's contexts; the one in use says so. */
export async function engineChoices(desk: Desk): Promise<Choice[]> {
  const { env } = desk;
  const now = desk.link().endpoint;
  const note = (host: string, text: string) => (host === now.host ? `${text}, in use` : text);
  const own = galleyEndpoint(env);
  const [others, ownAnswers] = await Promise.all([desk.otherEngines(), desk.answers(own)]);
  const ownNote = ownAnswers ? "galley's own engine" : "galley's own engine, which is started";
  return [
    { title: own.host, note: note(own.host, ownNote), run: () => desk.connect(own) },
    ...others.map((host) => ({
      title: host,
      note: note(host, 'answers'),
      run: () => desk.connect(parseHost(host, 'host flag')),
    })),
    ...contextNames({ env }).map((name) => ({
      title: name,
      note: now.context === name ? 'docker context, in use' : 'docker context',
      run: () => desk.connect(resolveEndpoint({ env, contextFlag: name })),
    })),
  ];
}
