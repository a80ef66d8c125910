// The REST interface by Swagger UI: tried out with the session of this browser, or with a key by "Authorize".

const csrf = document.querySelector("meta[name=csrf]").content;

window.SwaggerUIBundle({
  url: "/v1/openapi.json",
  dom_id: "#swagger-ui",
  deepLinking: true,
  validatorUrl: null, // it would send the document elsewhere
  requestInterceptor(request) {
    if (!request.headers.Authorization) request.headers["X-CSRF-Token"] = csrf;
    return request;
  },
});
