/**
 * Runs before the console itself has come: who is signed in is asked, and the room
 * of the address is fetched, while the browser still reads the rest. Small by
 * itself; vite.config.ts puts it first into the page.
 */
import { askEarly } from "./api/early";
import { ROOMS } from "./shell/rooms";

askEarly("/api/v1/me");
const here = location.pathname;
const room = ROOMS.find(({ path }) => (path === "/" ? here === "/" : here === path || here.startsWith(`${path}/`)));
room?.load().catch(() => undefined); // the router asks again and says so
