/** The core's provider table and rules; the build puts them into `core/providers.ts`. */
import data from "./core/providers.js";
import type { Security } from "./types.js";

export type Row = readonly [host: string, port: number, security: Security];

export interface Entry {
  readonly id: string;
  readonly name: string;
  readonly signIn: string;
  readonly password: number;
  readonly oauth2: number;
  readonly userName: string;
  readonly help: string;
  readonly aliases?: readonly string[];
  readonly domains?: readonly string[];
  readonly hosts?: readonly string[];
  readonly submission?: readonly Row[];
  readonly imap?: readonly Row[];
  readonly pop3?: readonly Row[];
  readonly helpUrl?: string;
  readonly family?: number;
}

/** Fits a refusal when each list that is there has a member that fits. */
export interface Rule {
  readonly is: number;
  readonly codes?: readonly number[];
  readonly enhanced?: readonly string[];
  readonly stages?: readonly number[];
  readonly phrases?: readonly string[];
}

export interface Table {
  readonly providers: readonly Entry[];
  readonly families: readonly (readonly Rule[])[];
  readonly general: readonly Rule[];
  readonly marks: readonly (readonly [phrase: string, family: number])[];
  readonly temporary: number;
  readonly permanent: number;
  readonly badCredentials: number;
  readonly ordinaryHelp: string;
  readonly explanations: readonly (readonly [meaning: string, nextStep: string, url?: string])[];
}

export const TABLE = data as Table;
