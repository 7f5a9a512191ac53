using System.CommandLine;
using System.Globalization;
using System.Net;
using Detection.Inference.Manifest;
using Detection.Inference.Pulling;
using Detection.Inference.Repository;
using Detection.Tool.CommandLine;
using Detection.Tool.Terminal;

namespace Detection.Tool.Pull;

/// <summary><c>detection pull</c>: gets a model into a folder of models.</summary>
internal static class PullCommand
{
    private const string TokenVariable = "DETECTION_PULL_TOKEN";

    private static readonly Argument<string> From = new("source") { Description = "Where the model is: https://HOST/PATH, hf:OWNER/REPO[@REVISION][/FILE], s3://BUCKET/KEY, az://ACCOUNT/CONTAINER/BLOB, gs://BUCKET/OBJECT or oci://REGISTRY/REPOSITORY[:TAG]." };

    private static readonly Option<string?> Name = new("--name") { Description = "Name of the model. Default: from the source.", HelpName = "name" };

    private static readonly Option<string?> Sha256 = new("--sha256") { Description = "SHA-256 of the ONNX file; another file is refused.", HelpName = "hex" };

    private static readonly Option<DirectoryInfo> Folder = new("--models")
    {
        Description = "Folder of the models. Default: ./models.",
        HelpName = "folder",
        DefaultValueFactory = _ => new DirectoryInfo("models"),
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("pull", $"Gets a model into a folder of models. A token for the source's server is read from the environment variable {TokenVariable}.") { From, Name, Sha256, Folder };
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        var screen = new Screen();
        var source = PullSource.Parse(line.GetValue(From)!);
        var name = line.GetValue(Name) ?? source.ModelName ?? throw new CommandException($"{source.Shown} gives no name for the model; add --name.");
        var folder = line.GetValue(Folder)!.FullName;
        using var handler = new SocketsHttpHandler
        {
            AllowAutoRedirect = false,
            UseCookies = false,
            AutomaticDecompression = DecompressionMethods.None,
            ConnectTimeout = TimeSpan.FromSeconds(10),
            MaxResponseHeadersLength = 64,
        };
        using var puller = new ModelPuller(folder, new PullOptions(), handler, TimeProvider.System);
        var order = new PullOrder(name, source, line.GetValue(Sha256), Token(source));
        PulledModel? pulled = null;
        await screen.WithProgressAsync($"pull {name}", 1000, async step => pulled = await puller.PullAsync(order, Steps(step), cancellationToken));
        Print(pulled!, Path.Combine(folder, name), screen);
        return ExitCode.Done;
    }

    private static string? Token(PullSource source) => Environment.GetEnvironmentVariable(TokenVariable)
        ?? (source.Text.StartsWith("hf:", StringComparison.OrdinalIgnoreCase) ? Environment.GetEnvironmentVariable("HF_TOKEN") : null);

    /// <summary>Turns bytes into thousandths.</summary>
    private static Action<PullProgress> Steps(Action<string?> step)
    {
        var done = 0L;
        return progress =>
        {
            for (var now = progress.Total > 0 ? 1000 * progress.Bytes / progress.Total.Value : 0; done < now; done++)
            {
                step($"pull {progress.File}");
            }
        };
    }

    private static void Print(PulledModel pulled, string folder, Screen screen)
    {
        screen.Line($"pulled    {folder}");
        screen.Line($"source    {pulled.Source}");
        if (pulled.Revision is not null)
        {
            screen.Line($"revision  {pulled.Revision}");
        }

        screen.Line($"sha256    {pulled.Sha256}");
        foreach (var file in pulled.Files)
        {
            screen.Line(string.Create(CultureInfo.InvariantCulture, $"file      {file.Name}, {file.Length} bytes"));
        }

        try
        {
            var model = ModelFile.Read(folder);
            screen.Line($"model     {model.Name}@{model.Version}, {model.Manifest.Family}, {model.Manifest.Labels.Count} classes");
        }
        catch (ModelException e)
        {
            screen.Warning($"It needs more before it can be used. {e.Message}");
        }
    }
}
