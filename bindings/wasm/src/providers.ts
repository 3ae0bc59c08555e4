import * as core from "./core/core.js";
import type { Security, Stage } from "./types.js";

/** A server to connect to. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
  readonly security: Security;
}

/** A mail provider: its submission servers, and how a person signs in there. */
export interface Provider {
  /** Short name, as `gmail`. */
  readonly id: string;
  /** The name that people know. */
  readonly name: string;
  /** Best first. Empty where there is no submission by SMTP. */
  readonly submission: readonly Endpoint[];
  /** What the server accepts, as "app password". */
  readonly signIn: string;
  readonly acceptsPassword: boolean;
  readonly acceptsOAuth2: boolean;
  readonly needsAuth: boolean;
  /** `address`, `local-part`, `issued`, `none`, or the one name that everybody has. */
  readonly userName: string;
  /** What a person must do to get credentials. */
  readonly help: string;
  readonly helpUrl?: string;
}

/** What a refusal means and what to do about it. */
export interface Explanation {
  readonly meaning: string;
  readonly nextStep: string;
  readonly url?: string;
}

/** The provider for a name, a mail address, a domain or the host name of a server. */
export function findProvider(nameOrAddress: string): Provider | undefined {
  return core.findProvider(nameOrAddress) as Provider | undefined;
}

/** The provider whose name is nearest to a misspelt one. */
export function nearestProvider(name: string): Provider | undefined {
  return core.nearestProvider(name) as Provider | undefined;
}

/** All providers, the most used ones first. */
export function allProviders(): Provider[] {
  return core.allProviders() as Provider[];
}

/** The user name at a provider for a mail address, where it is made of it. */
export function userNameFor(provider: Provider, address: string): string | undefined {
  return core.userNameFor(provider.id, address);
}

/** What a refusing reply of a server means. */
export function explain(
  host: string,
  stage: Stage,
  reply: { readonly code: number; readonly enhanced?: string; readonly text: string },
): Explanation | undefined {
  return core.explain(host, stage, reply.code, reply.enhanced, reply.text) as Explanation | undefined;
}
