// The minimum that a server of cached answers does: Kestrel, one Redis GET, and the unchanged bytes. The front end's cached answers are
// compared with it. Started with --redis CONNECTION --urls URL; answers GET and POST /v1/detections/… with the value of the key "bare".
// The body of a request is read and discarded.
using System.Buffers;
using StackExchange.Redis;

var builder = WebApplication.CreateSlimBuilder(args);
builder.Logging.ClearProviders();
var redis = await ConnectionMultiplexer.ConnectAsync(builder.Configuration["redis"] ?? throw new InvalidOperationException("--redis is missing."));
var app = builder.Build();
app.MapGet("/v1/detections/{key}", (string key, HttpContext http) => AnswerAsync(http));
app.MapPost("/v1/detections", async (HttpContext http) =>
{
    while (true)
    {
        var read = await http.Request.BodyReader.ReadAsync();
        http.Request.BodyReader.AdvanceTo(read.Buffer.End);
        if (read.IsCompleted)
        {
            break;
        }
    }

    await AnswerAsync(http);
});
await app.RunAsync();

async Task AnswerAsync(HttpContext http)
{
    using var answer = await redis.GetDatabase().StringGetLeaseAsync("bare");
    if (answer is null)
    {
        http.Response.StatusCode = StatusCodes.Status404NotFound;
        return;
    }

    http.Response.ContentType = "application/json; charset=utf-8";
    http.Response.ContentLength = answer.Length;
    http.Response.BodyWriter.Write(answer.Span);
    await http.Response.BodyWriter.FlushAsync();
}
