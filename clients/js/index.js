export { MockdError } from "./src/request.js";
export { Mockd, connectMockd } from "./src/mockd.js";
export { StartedMockd, startMockd } from "./src/start.js";
export { VerificationError } from "./src/verification.js";
export { World } from "./src/world.js";
