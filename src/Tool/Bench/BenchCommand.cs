using System.CommandLine;
using System.Globalization;
using Detection.Inference.Pictures;
using Detection.Tool.CommandLine;
using Detection.Tool.Models;
using Detection.Tool.Pictures;
using Detection.Tool.Terminal;
using Spectre.Console;

namespace Detection.Tool.Bench;

/// <summary><c>detection bench</c>: measures how many pictures a model takes per second on this machine.</summary>
internal static class BenchCommand
{
    private static readonly ModelArguments Model = ModelArguments.AsArgument();

    private static readonly Option<int[]> Batches = new Option<int[]>("--batches", "-b")
    {
        Description = "Batch sizes, 1 to 256.",
        HelpName = "numbers",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => [1, 8, 32],
    }.Within(1, 256);

    private static readonly Option<int[]> Threads = new Option<int[]>("--threads")
    {
        Description = "Numbers of worker threads, 1 to 1024. Default: 1, 2, 4, … up to the cores of this machine.",
        HelpName = "numbers",
        AllowMultipleArgumentsPerToken = true,
        DefaultValueFactory = _ => UpTo(Environment.ProcessorCount),
    }.Within(1, 1024);

    private static readonly Option<double> Seconds = new Option<double>("--seconds", "-s")
    {
        Description = "Time per cell of the table, 0.1 to 3600.",
        HelpName = "seconds",
        DefaultValueFactory = _ => 3,
    }.Within(0.1, 3600);

    private static readonly Option<string> Device = LoadedModel.DeviceOption();

    private static readonly Option<string?> Images = new("--images")
    {
        Description = $"Folder of pictures, of which the first {MaxPictures} are taken in turn. Default: generated JPEGs of {GeneratedPictures.Width}×{GeneratedPictures.Height}.",
        HelpName = "folder",
    };

    private const int MaxPictures = 64;

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("bench", "Measures pictures per second, from encoded picture to boxes, by batch size and worker threads.");
        Model.AddTo(command);
        foreach (var option in new Option[] { Batches, Threads, Seconds, Device, Images })
        {
            command.Add(option);
        }

        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        var screen = new Screen();
        var source = Model.Read(line);
        var pictures = line.GetValue(Images) is { } folder ? await ReadAsync(folder, cancellationToken) : GeneratedPictures.Create();
        var threads = line.GetRequiredValue(Threads).Distinct().Order().ToList();
        var batches = line.GetRequiredValue(Batches).Distinct().Order().ToList();
        var time = TimeSpan.FromSeconds(line.GetValue(Seconds));
        var description = "";
        var cells = new Dictionary<(int Threads, int Batch), Measurement>();
        await screen.WithProgressAsync("Measuring", threads.Count * batches.Count, async step =>
        {
            foreach (var workers in threads)
            {
                await using var model = await LoadedModel.LoadAsync(source, line.GetRequiredValue(Device), workers, screen.Note, cancellationToken);
                description = $"{source.Name}@{source.Version} on {model.DeviceName}";
                foreach (var batch in batches)
                {
                    var cell = await Measurement.TakeAsync(model, pictures, batch, time, cancellationToken);
                    cells[(workers, batch)] = cell;
                    var said = string.Create(
                        CultureInfo.InvariantCulture, $"threads {workers}, batch {batch}: {cell.PicturesPerSecond:0.0} pictures/s");
                    step(said);
                    if (!screen.IsLive)
                    {
                        screen.Note(said);
                    }
                }
            }
        });
        Print(screen, description, threads, batches, cells);
        return ExitCode.Done;
    }

    private static void Print(
        Screen screen, string model, List<int> threads, List<int> batches, Dictionary<(int Threads, int Batch), Measurement> cells)
    {
        screen.Line($"{model}, pictures/s, {Environment.ProcessorCount} cores, JPEG by {PictureDecoder.JpegCodec}");
        screen.Line();
        var table = new Table().Border(TableBorder.Markdown);
        table.AddColumn(new TableColumn("threads").RightAligned());
        foreach (var batch in batches)
        {
            table.AddColumn(new TableColumn($"batch {batch}").RightAligned());
        }

        foreach (var workers in threads)
        {
            string[] row = [workers.ToString(CultureInfo.InvariantCulture), .. batches.Select(batch => Number(cells[(workers, batch)].PicturesPerSecond))];
            table.AddRow(row);
        }

        screen.Results.Write(table);
        var one = cells[(threads[0], batches[0])];
        screen.Line(string.Create(
            CultureInfo.InvariantCulture,
            $"One picture (threads {threads[0]}, batch {batches[0]}): decode {one.Decode:0.00} ms, preprocess {one.Preprocess:0.00} ms, inference {one.Inference:0.00} ms, postprocess {one.Postprocess:0.00} ms"));
    }

    private static string Number(double value) => value.ToString("0.0", CultureInfo.InvariantCulture);

    private static async Task<byte[][]> ReadAsync(string folder, CancellationToken cancellationToken)
    {
        if (!Directory.Exists(folder))
        {
            throw new CommandException($"There is no folder {folder}; correct --images.");
        }

        var pictures = new List<byte[]>();
        foreach (var picture in PictureFiles.InFolder(folder, recursive: false).Take(MaxPictures))
        {
            var encoded = await picture.ReadAsync(cancellationToken);
            try
            {
                PictureDecoder.Decode(encoded, new PictureLimits()).Dispose();
            }
            catch (PictureException e)
            {
                throw new CommandException($"{picture.Name}: {e.Message}");
            }

            pictures.Add(encoded);
        }

        return pictures.Count > 0 ? [.. pictures] : throw new CommandException($"{folder} has no pictures.");
    }

    private static int[] UpTo(int cores)
    {
        var numbers = new List<int>();
        for (var number = 1; number < cores; number *= 2)
        {
            numbers.Add(number);
        }

        return [.. numbers, cores];
    }
}
