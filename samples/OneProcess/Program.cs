// A web application that hosts the whole cluster: client, silo, model, and a Redis-compatible server unless a Redis is configured.
//   dotnet run --project samples/OneProcess
//   curl --data-binary @photo.jpg localhost:5000/people
using Detection.AspNetCore;
using Detection.Client;
using Detection.Embedded;
using Detection.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.AddEmbeddedRedis();
builder.AddDetectionSilo();
builder.Services.AddDetectionClient(builder.Configuration).UseHostedSilo();
builder.Services.AddDetectionProblems();
var app = builder.Build();

app.UseExceptionHandler();
app.MapPost("/people", async (HttpRequest request, IDetectionClient detection) =>
{
    var answer = await detection.DetectAsync(request.Body);
    return answer.Objects.Count(found => answer.LabelOf(found) == "person");
});

app.Run();
