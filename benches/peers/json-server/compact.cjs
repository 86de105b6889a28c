// json-server indents its answers; without, they are byte for byte those of the others.
"use strict";

module.exports = (request, _response, next) => {
  request.app.set("json spaces", 0);
  next();
};
