using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Detection.Inference.Manifest;
using Detection.Objects;
using Detection.Tool.CommandLine;
using Detection.Tool.Models;
using Detection.Tool.Pictures;
using Detection.Tool.Terminal;

namespace Detection.Tool.Detect;

/// <summary><c>detection detect</c>: finds objects in pictures.</summary>
internal static class DetectCommand
{
    private static readonly Argument<string[]> Pictures = new("pictures")
    {
        Description = "Picture files, folders of pictures, http and https addresses.",
        Arity = ArgumentArity.OneOrMore,
    };

    private static readonly ModelArguments Model = ModelArguments.AsOption();

    private static readonly Option<bool> Recursive = new("--recursive", "-r") { Description = "Look into the folders of folders too." };

    private static readonly Option<float?> Threshold = new Option<float?>("--threshold", "-t")
    {
        Description = "Lowest score, 0 to 1. Default: the model's.",
        HelpName = "score",
    }.Within(0, 1);

    private static readonly Option<float?> Iou = new Option<float?>("--iou")
    {
        Description = "Overlap at which the weaker of two boxes is dropped, 0.001 to 1. Default: the model's.",
        HelpName = "overlap",
    }.Within(0.001, 1);

    private static readonly Option<int?> Max = new Option<int?>("--max")
    {
        Description = "Most objects per picture, the best first, 1 to 10,000. Default: the model's.",
        HelpName = "number",
    }.Within(1, 10_000);

    private static readonly Option<string?> Labels = LabelFilter.Option("Only these classes, separated by commas, ignoring case.");

    private static readonly Option<string> Device = LoadedModel.DeviceOption();

    private static readonly Option<string?> Out = new("--out", "-o") { Description = "Folder for the annotated pictures (JPEG).", HelpName = "folder" };

    private static readonly Option<string?> Json = new("--json")
    {
        Description = "File for the results, one line of JSON per picture; - for standard output.",
        HelpName = "file",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("detect", "Finds objects in pictures, on this machine and without a server.") { Pictures, Recursive };
        Model.AddTo(command);
        foreach (var option in new Option[] { Threshold, Iou, Max, Labels, Device, Out, Json })
        {
            command.Add(option);
        }

        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        var toOutput = line.GetValue(Json) == "-";
        var screen = new Screen(toOutput);
        using var download = new PictureDownload();
        var pictures = Find(line.GetRequiredValue(Pictures), line.GetValue(Recursive), download);
        var source = WithSettings(Model.Read(line), line);
        var labels = LabelFilter.Read(line.GetValue(Labels), source);
        var files = line.GetValue(Out) is { } folder ? new AnnotatedFiles(folder, pictures) : null;
        await using var json = line.GetValue(Json) is not { } path ? null
            : toOutput ? new StreamWriter(Console.OpenStandardOutput())
            : new StreamWriter(path);

        await using var model = await LoadedModel.LoadAsync(source, line.GetRequiredValue(Device), null, screen.Note, cancellationToken);
        var summary = new Summary();
        var start = Stopwatch.GetTimestamp();
        await screen.WithProgressAsync("Detecting", pictures.Count, async step =>
        {
            var results = PictureRun.DetectAsync(model, pictures, result => Describe(result, source, labels, line, files), cancellationToken);
            await foreach (var (result, found) in results)
            {
                var described = found ?? new PictureLine(result.Picture.Name, result.Error);
                summary.Add(described);
                Print(described, screen, quiet: toOutput);
                if (json is not null)
                {
                    await json.WriteLineAsync(described.ToJson());
                    await json.FlushAsync(cancellationToken);
                }

                step(null);
            }
        });
        screen.Note(summary.Text(Stopwatch.GetElapsedTime(start)));
        return summary.Failed == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static List<PictureSource> Find(string[] arguments, bool recursive, PictureDownload download)
    {
        var pictures = new List<PictureSource>();
        foreach (var argument in arguments)
        {
            if (PictureDownload.IsUrl(argument))
            {
                pictures.Add(download.Of(argument));
            }
            else if (Directory.Exists(argument))
            {
                var before = pictures.Count;
                pictures.AddRange(PictureFiles.InFolder(argument, recursive));
                if (pictures.Count == before)
                {
                    throw new CommandException($"{argument} has no pictures{(recursive ? "" : "; --recursive looks into its folders too")}.");
                }
            }
            else
            {
                pictures.Add(PictureFiles.Of(argument));
            }
        }

        return pictures;
    }

    /// <summary>The model with the settings of the command line; otherwise its own limits apply.</summary>
    private static ModelSource WithSettings(ModelSource source, ParseResult line)
    {
        var manifest = source.Manifest;
        var threshold = line.GetValue(Threshold) ?? manifest.Threshold;
        return source with
        {
            Manifest = manifest with
            {
                Threshold = threshold,
                ScoreFloor = Math.Min(manifest.ScoreFloor, threshold),
                Iou = line.GetValue(Iou) ?? manifest.Iou,
                MaxBoxes = Math.Max(manifest.MaxBoxes, line.GetValue(Max) ?? 0),
            },
        };
    }

    private static PictureLine Describe(PictureResult result, ModelSource source, IReadOnlySet<int>? labels, ParseResult line, AnnotatedFiles? files)
    {
        var (manifest, outcome) = (source.Manifest, result.Outcome!);
        DetectedObject[] boxes =
        [
            .. outcome.Boxes
                .Where(box => box.Score >= manifest.Threshold && labels?.Contains(box.ClassId) != false)
                .Take(line.GetValue(Max) ?? int.MaxValue),
        ];
        return new PictureLine(
            result.Picture.Name,
            null,
            $"{source.Name}@{source.Version}",
            outcome.Width,
            outcome.Height,
            manifest.Threshold,
            [.. boxes.Select(box => box.ToBody(manifest.Labels))],
            new TimingsLine(
                outcome.Decode.TotalMilliseconds,
                outcome.Preprocess.TotalMilliseconds,
                outcome.Inference.TotalMilliseconds,
                outcome.Postprocess.TotalMilliseconds),
            files?.Write(result.Picture, result.Encoded!, boxes, manifest.Labels));
    }

    private static void Print(PictureLine picture, Screen screen, bool quiet)
    {
        if (picture.Error is not null)
        {
            screen.Failure($"{picture.Picture}: {picture.Error}");
        }
        else if (!quiet)
        {
            var found = string.Join(", ", picture.Boxes!.Select(box => string.Create(CultureInfo.InvariantCulture, $"{box.Label} {box.Score:0.00}")));
            screen.Line($"{picture.Picture}: {picture.Width}×{picture.Height}: {(found.Length > 0 ? found : "nothing")}");
        }
    }

    /// <summary>Counts over all pictures.</summary>
    private sealed class Summary
    {
        private readonly Dictionary<string, int> _found = [];
        private int _pictures;

        public int Failed { get; private set; }

        public void Add(PictureLine picture)
        {
            _pictures++;
            Failed += picture.Error is null ? 0 : 1;
            foreach (var box in picture.Boxes ?? [])
            {
                _found[box.Label] = _found.GetValueOrDefault(box.Label) + 1;
            }
        }

        public string Text(TimeSpan time)
        {
            var found = string.Join(", ", _found.OrderByDescending(f => f.Value).ThenBy(f => f.Key, StringComparer.Ordinal).Select(f => $"{f.Value} {f.Key}"));
            return string.Create(
                CultureInfo.InvariantCulture,
                $"{Count(_pictures, "picture")}, {Failed} failed, {Count(_found.Values.Sum(), "object")}{(found.Length > 0 ? $" ({found})" : "")}, {time.TotalSeconds:0.0} s, {_pictures / time.TotalSeconds:0.0} pictures/s");
        }

        private static string Count(int number, string what) => number == 1 ? $"1 {what}" : $"{number} {what}s";
    }
}
