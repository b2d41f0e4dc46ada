import { ExitError } from '../errors.ts';
import type { CliContext, ParsedArgs } from '../types.ts';

const at = (ip: string, port: string) => (ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`);

/** `galley port CONTAINER [PRIVATE_PORT[/PROTO]]`. */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const [name, wanted] = args.positionals as [string, string?];
  const client = await context.client();
  const ports = (await client.getContainer(name).inspect()).NetworkSettings.Ports ?? {};
  if (wanted !== undefined) {
    const [port = '', protocol = 'tcp'] = wanted.split('/');
    const wrong = !/^\d+$/.test(port) ? 'invalid syntax' : Number(port) > 65535 ? 'value out of range' : undefined;
    if (wrong) {
      const why = `strconv.ParseUint: parsing ${JSON.stringify(port)}: ${wrong}`;
      throw new ExitError(1, `Error: invalid port (${port}): ${why}`);
    }
    const bindings = ports[`${port}/${protocol}`];
    if (!bindings) throw new ExitError(1, `Error: No public port '${wanted}' published for ${name}`);
    context.out(bindings.map((one) => `${at(one.HostIp ?? '', one.HostPort ?? '')}\n`).join(''));
    return 0;
  }
  const lines = Object.entries(ports).flatMap(([port, bindings]) =>
    (bindings ?? []).map((one) => `${port} -> ${at(one.HostIp ?? '', one.HostPort ?? '')}\n`),
  );
  // By number, as people count ports.
  lines.sort((a, b) => Number.parseInt(a, 10) - Number.parseInt(b, 10) || (a < b ? -1 : 1));
  context.out(lines.join(''));
  return 0;
}
