using System.CommandLine;
using System.Diagnostics;
using System.Globalization;
using Detection.Inference.Manifest;
using Detection.Tool.CommandLine;
using Detection.Tool.Evaluation;
using Detection.Tool.Models;
using Detection.Tool.Pictures;
using Detection.Tool.Terminal;

namespace Detection.Tool.Eval;

/// <summary><c>detection eval</c>: compares the boxes of a model with annotated ones.</summary>
internal static class EvalCommand
{
    private static readonly ModelArguments Model = ModelArguments.AsArgument();

    private static readonly Option<string> Coco = new("--coco")
    {
        Description = "Annotations in COCO's format.",
        HelpName = "file",
        Required = true,
    };

    private static readonly Option<string> Images = new("--images") { Description = "Folder of the pictures.", HelpName = "folder", Required = true };

    private static readonly Option<float> ScoreFloor = new Option<float>("--score-floor")
    {
        Description = "Boxes below this score are not counted, 0 to 1.",
        HelpName = "score",
        DefaultValueFactory = _ => 0.01f,
    }.Within(0, 1);

    private static readonly Option<float> Iou = new Option<float>("--iou")
    {
        Description = "Overlap at which the weaker of two boxes is dropped, 0.001 to 1.",
        HelpName = "overlap",
        DefaultValueFactory = _ => 0.6f,
    }.Within(0.001, 1);

    private static readonly Option<int?> Max = new Option<int?>("--max")
    {
        Description = "Most boxes per picture over all of the model's classes, the best first, 1 to 10,000. Default: the model's.",
        HelpName = "number",
    }.Within(1, 10_000);

    private static readonly Option<string?> Labels = LabelFilter.Option("Evaluate only these classes, separated by commas, ignoring case.");

    private static readonly Option<string> Device = LoadedModel.DeviceOption();

    private static readonly Option<string?> Results = new("--results")
    {
        Description = "File for the boxes in COCO's results format, as pycocotools loads it.",
        HelpName = "file",
    };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("eval", "Measures a model against annotated pictures: COCO's table of average precision and recall.");
        Model.AddTo(command);
        foreach (var option in new Option[] { Coco, Images, ScoreFloor, Iou, Max, Labels, Device, Results })
        {
            command.Add(option);
        }

        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        var screen = new Screen();
        var dataset = CocoDataset.Load(line.GetRequiredValue(Coco));
        var pictures = Find(dataset, line.GetRequiredValue(Images));
        var source = ReadModel(line);
        var classes = EvaluatedClasses.Match(dataset, source, LabelFilter.Read(line.GetValue(Labels), source));
        if (classes.Unknown.Count > 0)
        {
            screen.Note($"Not evaluated, the model has no such class: {string.Join(", ", classes.Unknown)}");
        }

        await using var model = await LoadedModel.LoadAsync(source, line.GetRequiredValue(Device), null, screen.Note, cancellationToken);
        var run = new EvaluationRun(dataset, classes, line.GetValue(Results));
        var start = Stopwatch.GetTimestamp();
        await screen.WithProgressAsync("Evaluating", pictures.Count, step => run.DetectAsync(model, pictures, screen, step, cancellationToken));
        run.Results?.Save();

        var time = Stopwatch.GetElapsedTime(start);
        screen.Note(string.Create(
            CultureInfo.InvariantCulture,
            $"{model.Description}, {pictures.Count} pictures, classes: {string.Join(", ", classes.Categories.Select(c => c.Name))}, {time.TotalSeconds:0.0} s, {pictures.Count / time.TotalSeconds:0.0} pictures/s"));
        return Report(run, screen);
    }

    private static ModelSource ReadModel(ParseResult line)
    {
        var source = Model.Read(line);
        return source with
        {
            Manifest = source.Manifest with
            {
                ScoreFloor = line.GetValue(ScoreFloor),
                Iou = line.GetValue(Iou),
                MaxBoxes = line.GetValue(Max) ?? source.Manifest.MaxBoxes,
            },
        };
    }

    private static int Report(EvaluationRun run, Screen screen)
    {
        if (run.OtherSize > 0)
        {
            screen.Failure($"{run.OtherSize} pictures have another size than their annotations say: the numbers are not reliable.");
        }

        if (run.Failed > 0)
        {
            screen.Failure($"{run.Failed} pictures failed and count as pictures without boxes.");
        }

        screen.Line(run.Evaluator.Evaluate().ToString().TrimEnd('\n'));
        return run.Failed + run.OtherSize == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static List<PictureSource> Find(CocoDataset dataset, string folder)
    {
        if (dataset.Images.Count == 0)
        {
            throw new CommandException("The annotations name no pictures.");
        }

        var files = dataset.Images.Select(image => Path.Combine(folder, image.FileName)).ToList();
        var absent = files.Where(file => !File.Exists(file)).ToList();
        return absent.Count == 0
            ? [.. files.Select(PictureFiles.Of)]
            : throw new CommandException($"{absent.Count} of {files.Count} pictures are not there, {absent[0]} is the first; correct --images.");
    }

    /// <summary>One pass over the pictures.</summary>
    private sealed class EvaluationRun(CocoDataset dataset, EvaluatedClasses classes, string? results)
    {
        public CocoEvaluator Evaluator { get; } = new(dataset with { Categories = classes.Categories });

        public CocoResults? Results { get; } = results is null ? null : new CocoResults(results);

        /// <summary>Pictures that failed.</summary>
        public int Failed { get; private set; }

        /// <summary>Pictures whose size differs from that of their annotations.</summary>
        public int OtherSize { get; private set; }

        public async Task DetectAsync(
            LoadedModel model, IReadOnlyList<PictureSource> pictures, Screen screen, Action<string?> step, CancellationToken cancellationToken)
        {
            var next = 0;
            await foreach (var (result, _) in PictureRun.DetectAsync(model, pictures, _ => true, cancellationToken))
            {
                var image = dataset.Images[next++];
                if (result.Outcome is { } outcome)
                {
                    OtherSize += (outcome.Width, outcome.Height) == (image.Width, image.Height) ? 0 : 1;
                    Evaluator.Add(image.Id, outcome.Boxes, classes.CategoryOf);
                    Results?.Add(image.Id, outcome.Boxes, classes.CategoryOf);
                }
                else
                {
                    Failed++;
                    screen.Failure($"{result.Picture.Name}: {result.Error}");
                }

                step(null);
            }
        }
    }
}
