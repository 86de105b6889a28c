import { fileURLToPath } from "node:url";

// A path as mockd is given it; a file: URL is as good.
export const filePath = (file) => (file instanceof URL ? fileURLToPath(file) : file);
