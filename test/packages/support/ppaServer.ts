import { existsSync, readFileSync, statSync } from 'node:fs';
import type { RequestListener } from 'node:http';
import path from 'node:path';
import type { SigningKey } from '../../support/signingKey.ts';
import { type WebServer, webServer } from '../../support/webServer.ts';

/** What plays Launchpad. */
export interface PpaServerOptions {
  /** A directory with PPAs at `OWNER/NAME/ubuntu`. */
  readonly archives: string;
  /** What it says signs them, as one that all trust must. */
  readonly key: SigningKey;
  /** `USER:TOKEN` for those whose owner is `private`. */
  readonly credentials: string;
}

/** Launchpad's API, the key server and the archives, at one address. */
export async function ppaServer({ archives, key, credentials }: PpaServerOptions): Promise<WebServer> {
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  const listener: RequestListener = (request, response) => {
    const url = new URL(request.url ?? '', 'http://localhost');
    const file = path.join(archives, path.normalize(decodeURIComponent(url.pathname)));
    const answer = (status: number, body: string | Uint8Array = '') => response.writeHead(status).end(body);
    if (url.searchParams.get('ws.op') === 'getSigningKeyData') {
      const [, owner, name] = /^\/~([^/]+)\/\+archive\/ubuntu\/([^/]+)$/.exec(url.pathname) ?? [];
      const isPublic = owner !== 'private' && existsSync(path.join(archives, `${owner}/${name}`));
      return answer(isPublic ? 200 : 404, JSON.stringify(key.armoured));
    }
    if (url.pathname === '/pks/lookup') {
      const known = url.searchParams.get('search') === `0x${key.fingerprint}`;
      return answer(known ? 200 : 404, known ? key.armoured : '');
    }
    if (url.pathname.startsWith('/private/') && request.headers.authorization !== authorization) {
      response.writeHead(401, { 'www-authenticate': 'Basic realm="PPA"' }).end();
      return;
    }
    return statSync(file, { throwIfNoEntry: false })?.isFile() ? answer(200, readFileSync(file)) : answer(404);
  };
  return await webServer(listener);
}
