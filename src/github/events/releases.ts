/** Releases: heard by the App, so that no further consent is needed, once a trigger asks for them. */
import { ignored, type Listener } from "./event-listener.ts";

export const released: Listener = () => ignored("no trigger asks for releases");
