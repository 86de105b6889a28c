// json-server indents its answers. Without indentation, they are identical to those of the other servers.
"use strict";

module.exports = (request, _response, next) => {
  request.app.set("json spaces", 0);
  next();
};
