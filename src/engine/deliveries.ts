/** Processes webhook deliveries that were recorded. One that fails is processed again, a limited number of times. */
import { logDelivery } from "./event-log.ts";
import type { Clock } from "./ports/clock.ts";
import type { Inbox } from "./ports/inbox.ts";
import type { Log } from "./ports/log.ts";
import type { Meter } from "./ports/metrics.ts";
import type { TaskHandler } from "./ports/work-queue.ts";
import type { WebhookProcessor } from "./process-webhook.ts";

const SLOTS = 20;
/** With the back-off below: about an hour. */
const MAX_ATTEMPTS = 10;
const FIRST_DELAY_MS = 2_000;
const MAX_DELAY_MS = 600_000;

interface Needs {
  readonly inbox: Inbox;
  readonly webhookProcessor: WebhookProcessor;
  readonly clock: Pick<Clock, "now">;
  readonly log: Log;
  readonly meter: Pick<Meter, "delivery">;
}

export function createDeliveryHandler({ inbox, webhookProcessor, clock, log, meter }: Needs): TaskHandler {
  return {
    slots: SLOTS,
    async perform(id, { again, failures }) {
      const delivery = await inbox.get(id);
      if (delivery === null) return null;
      const { event, at } = delivery;
      try {
        const acted = await webhookProcessor(id, event, again || failures > 0);
        if (acted !== null) logDelivery(log, id, event, acted);
        await inbox.done(id);
        meter.delivery("done", clock.now() - at);
        return null;
      } catch (error) {
        const named = { delivery: id, github_event: event.type, error };
        if (failures + 1 >= MAX_ATTEMPTS) {
          log.error(named, "a delivery is given up");
          await inbox.done(id);
          meter.delivery("abandoned", clock.now() - at);
          return null;
        }
        log.warn({ ...named, attempt: failures + 1 }, "a delivery is put off");
        return { again_at: clock.now() + Math.min(MAX_DELAY_MS, FIRST_DELAY_MS * 2 ** failures) };
      }
    },
  };
}
