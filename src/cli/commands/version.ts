import type { VersionResponse } from '../../api/system.ts';
import { API_VERSION, GALLEY_VERSION } from '../../api/version.ts';
import { EngineUnreachableError } from '../../client/failure.ts';
import { executeTemplate } from '../templates.ts';
import type { CliContext, ParsedArgs } from '../types.ts';
import { explainUnreachable } from '../unreachable.ts';

interface ClientVersion {
  Version: string;
  ApiVersion: string;
  DefaultAPIVersion: string;
  NodeVersion: string;
  Os: string;
  Arch: string;
  Context: string;
}

const ARCHITECTURES: Readonly<Record<string, string>> = { x64: 'amd64', arm64: 'arm64', ia32: '386' };
const line = (name: string, value: string) => ` ${`${name}:`.padEnd(18)} ${value}\n`;
const inner = (name: string, value: string) => `  ${`${name}:`.padEnd(17)} ${value}\n`;

function clientText(client: ClientVersion): string {
  const api =
    client.ApiVersion === client.DefaultAPIVersion
      ? client.ApiVersion
      : `${client.ApiVersion} (downgraded from ${client.DefaultAPIVersion})`;
  return [
    'Client:\n',
    line('Version', client.Version),
    line('API version', api),
    line('Node version', client.NodeVersion),
    line('OS/Arch', `${client.Os}/${client.Arch}`),
    line('Context', client.Context),
  ].join('');
}

function serverText(server: VersionResponse): string {
  const platform = server.Platform?.Name ? `Server: ${server.Platform.Name}\n` : 'Server:\n';
  const components = (server.Components ?? []).map(({ Name, Version, Details = {} }) => {
    const detail = (key: string) => Details[key] ?? '';
    if (Name !== 'Engine') {
      return [
        ` ${Name}:\n`,
        inner('Version', Version),
        ...(detail('GitCommit') ? [inner('GitCommit', detail('GitCommit'))] : []),
      ].join('');
    }
    return [
      ' Engine:\n',
      inner('Version', Version),
      inner(
        'API version',
        `${detail('ApiVersion') || server.ApiVersion} (minimum version ${detail('MinAPIVersion') || server.MinAPIVersion})`,
      ),
      inner('Go version', detail('GoVersion') || server.GoVersion || 'none'),
      inner('Git commit', detail('GitCommit') || server.GitCommit || ''),
      inner('Built', detail('BuildTime') || server.BuildTime || ''),
      inner('OS/Arch', `${detail('Os') || server.Os}/${detail('Arch') || server.Arch}`),
      inner('Experimental', detail('Experimental') || 'false'),
    ].join('');
  });
  return platform + components.join('');
}

/** `galley version`: the client's part even when no engine answers (then exit 1). */
export async function run(context: CliContext, args: ParsedArgs): Promise<number> {
  const client = await context.client();
  let server: VersionResponse | undefined;
  let failure: unknown;
  try {
    server = await client.version();
  } catch (error) {
    failure = error;
  }
  const mine: ClientVersion = {
    Version: GALLEY_VERSION,
    ApiVersion: server ? await client.apiVersion() : API_VERSION,
    DefaultAPIVersion: API_VERSION,
    NodeVersion: process.version,
    Os: 'linux',
    Arch: ARCHITECTURES[process.arch] ?? process.arch,
    Context: context.endpoint.context ?? (context.endpoint.source === 'galley' ? 'galley' : 'default'),
  };
  const format = args.string('format');
  if (format === 'json') context.out(`${JSON.stringify({ Client: mine, Server: server ?? null })}\n`);
  else if (format) {
    const data = { Client: mine, Server: server ?? null };
    context.out(`${executeTemplate(format, data, { name: 'version', type: 'system.versionInfo' })}\n`);
  } else context.out(clientText(mine) + (server ? `\n${serverText(server)}` : ''));
  if (failure === undefined) return 0;
  if (failure instanceof EngineUnreachableError) {
    context.err(`${await explainUnreachable(failure, context)}\n`);
    return 1;
  }
  throw failure;
}
