/**
 * Plausible token counts: about four characters per token, and everything before the last exchange read from the cache
 * once caching is requested.
 */
import type { ModelRequest, Usage } from "./protocol.ts";

const CHARACTERS_PER_TOKEN = 4;

/** Tokens that the real endpoint adds for the tool-use preamble. */
const TOOLS_OVERHEAD = 346;

/** The most that one image costs, whatever its bytes. */
const IMAGE_TOKENS = 4_784;

const BASE64 = /"data":"[A-Za-z0-9+/=]*"/g;

function tokens(value: unknown): number {
  const text = JSON.stringify(value) ?? "";
  const images = text.match(BASE64)?.length ?? 0;
  return Math.ceil(text.replace(BASE64, '""').length / CHARACTERS_PER_TOKEN) + images * IMAGE_TOKENS;
}

const fixedPart = ({ system, tools }: ModelRequest): number =>
  (system === undefined ? 0 : tokens(system)) + (tools === undefined ? 0 : tokens(tools) + TOOLS_OVERHEAD);

export const countTokens = (request: ModelRequest): number => fixedPart(request) + tokens(request.messages);

export function usageOf(request: ModelRequest, answer: unknown): Usage {
  const total = countTokens(request);
  const output_tokens = tokens(answer);
  if (!JSON.stringify(request).includes('"cache_control"'))
    return { input_tokens: total, output_tokens, cache_read_input_tokens: 0, cache_creation_input_tokens: 0 };
  const repeated = request.messages.length > 2 ? fixedPart(request) + tokens(request.messages.slice(0, -2)) : 0;
  const fresh = total - repeated;
  const input_tokens = Math.min(fresh, 4);
  return {
    input_tokens,
    output_tokens,
    cache_read_input_tokens: repeated,
    cache_creation_input_tokens: fresh - input_tokens,
  };
}
