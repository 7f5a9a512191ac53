// ConsoleClient STAGE PICTURE: stays in one stage of its work until a signal ends it. The stage 'end' ends by itself.
//   before  has a client that it has not used
//   during  sends one picture after another
//   after   has received an answer
//   end     has received an answer, disposes of the container and returns
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
    // Bytes after the end make it a new picture, without a cached answer.
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
