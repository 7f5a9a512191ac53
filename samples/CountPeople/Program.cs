// A web application of its own with object detection inside: counts the people in a picture.
//   ConnectionStrings__redis=localhost:6379 dotnet run --project samples/CountPeople
//   curl --data-binary @photo.jpg localhost:5000/people
using Detection.Client;

var builder = WebApplication.CreateBuilder(args);
builder.Services.AddDetectionClient(builder.Configuration);
var app = builder.Build();

app.MapPost("/people", async (HttpRequest request, IDetectionClient detection) =>
{
    var answer = await detection.DetectAsync(request.Body);
    return answer.Objects.Count(found => answer.LabelOf(found) == "person");
});

app.Run();
