/**
 * What the agent uses of the SDK. Its usual client knows every service of the provider, three times as much to load; of
 * these parts the bundler takes no more than what they need.
 */
export { BaseAnthropic } from "@anthropic-ai/sdk/client";
export { AnthropicError, APIConnectionError, APIError, APIUserAbortError } from "@anthropic-ai/sdk/error";
export { Messages } from "@anthropic-ai/sdk/resources/messages/messages";
