// A web application that embeds the client: counts the people in a picture. The answer to bytes that are not a picture is a problem.
//   ConnectionStrings__redis=localhost:6379 dotnet run --project samples/CountPeople
//   curl --data-binary @photo.jpg localhost:5000/people
using Detection.AspNetCore;
using Detection.Client;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddDetectionClient(builder.Configuration);
builder.Services.AddDetectionProblems();
builder.Services.AddHealthChecks().AddDetectionClient();
var app = builder.Build();

app.UseExceptionHandler();
app.MapHealthChecks("/health/ready");
app.MapPost("/people", async (HttpRequest request, IDetectionClient detection) =>
{
    var answer = await detection.DetectAsync(request.Body, cancellationToken: request.HttpContext.RequestAborted);
    return answer.Objects.Count(found => answer.LabelOf(found) == "person");
});

app.Run();
