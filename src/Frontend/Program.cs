using Detection.Frontend;

var app = FrontendApplication.Create(args);
await app.RunAsync();
