using Detection.Silo;
using Detection.Silo.Health;

var builder = WebApplication.CreateBuilder(new WebApplicationOptions { Args = args, ContentRootPath = AppContext.BaseDirectory });
builder.AddDetectionSilo();
builder.UseHealthAddress();
var app = builder.Build();
app.MapSiloHealth();
app.Run();
