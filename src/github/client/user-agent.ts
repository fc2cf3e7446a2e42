/** The User-Agent of all calls to GitHub. */
import { VERSION } from "../../contracts/version.ts";

export const USER_AGENT = `journeyman/${VERSION}`;
