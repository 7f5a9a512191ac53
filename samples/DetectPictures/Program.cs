// Detects objects in the given pictures on a running cluster:
//   ConnectionStrings__redis=localhost:6379 dotnet run --project samples/DetectPictures -- photo.jpg https://example.org/other.jpg
using Detection.Client;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

if (args.Length == 0)
{
    Console.Error.WriteLine("usage: DetectPictures <file or URL> ...");
    return 2;
}

var builder = Host.CreateApplicationBuilder();
builder.Logging.SetMinimumLevel(LogLevel.Warning);
builder.Services.AddDetectionClient(builder.Configuration);
using var host = builder.Build();
var client = host.Services.GetRequiredService<IDetectionClient>();

var failures = 0;
foreach (var picture in args)
{
    try
    {
        var answer = Uri.TryCreate(picture, UriKind.Absolute, out var url) && url.Scheme.StartsWith("http", StringComparison.Ordinal)
            ? await client.DetectAsync(url)
            : await client.DetectAsync(await File.ReadAllBytesAsync(picture));
        Console.WriteLine($"{picture}: {answer.Width}x{answer.Height}, {answer.Objects.Count} objects, {answer.Model}, {answer.Source}");
        foreach (var found in answer.Objects)
        {
            Console.WriteLine($"  {answer.LabelOf(found),-14} {found.Score:P0}  ({found.X1:F0}, {found.Y1:F0}) to ({found.X2:F0}, {found.Y2:F0})");
        }
    }
    catch (DetectionException e)
    {
        failures++;
        Console.Error.WriteLine($"{picture}: {e.Reason}: {e.Message}");
    }
    catch (Exception e) when (e is IOException or UnauthorizedAccessException)
    {
        failures++;
        Console.Error.WriteLine($"{picture}: {e.Message}");
    }
}

return failures == 0 ? 0 : 1;
