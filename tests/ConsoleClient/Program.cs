// ConsoleClient STAGE PICTURE: stays in a stage of its work until it is told to end, or ends by itself.
//   before  has a client that was not used
//   during  asks for one picture after the other
//   after   has had an answer
//   end     has had an answer, disposes of the container and returns
using Detection.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

var redis = Environment.GetEnvironmentVariable("ConnectionStrings__redis")!;
using var services = new ServiceCollection()
    .AddLogging(static logging => logging.AddConsole().SetMinimumLevel(LogLevel.Trace))
    .AddDetectionClient(options =>
    {
        options.Redis = redis;
        options.Deadline = DetectionOptions.MaxDeadline;
    })
    .BuildServiceProvider();
var client = services.GetRequiredService<IDetectionClient>();
var stage = args[0];
if (stage != "before")
{
    Console.WriteLine("asking");
    // Bytes behind its end make it another picture, of which there is no answer yet.
    byte[] picture = [.. await File.ReadAllBytesAsync(args[1]), .. Guid.NewGuid().ToByteArray()];
    var answer = await client.DetectAsync(picture);
    Console.WriteLine($"answer: {answer.Objects.Count} objects");
    while (stage == "during")
    {
        picture = [.. picture, 0];
        Console.WriteLine("asking again");
        await client.DetectAsync(picture);
    }
}

if (stage != "end")
{
    Console.WriteLine("waiting");
    Thread.Sleep(Timeout.Infinite);
}
