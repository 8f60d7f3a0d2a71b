window.ui = SwaggerUIBundle({
  dom_id: "#ui",
  url: "/openapi.json",
  deepLinking: true,
  docExpansion: "none",
  filter: true,
  persistAuthorization: false,
  displayRequestDuration: true,
});
