using System.CommandLine;
using Detection.Inference.Inspection;
using Detection.Inference.Repository;
using Detection.Tool.CommandLine;
using Detection.Tool.Models;
using Detection.Tool.Terminal;

namespace Detection.Tool.Inspect;

/// <summary><c>detection inspect</c>: shows what is known about a model, and what is missing.</summary>
internal static class InspectCommand
{
    private static readonly ModelArguments Model = ModelArguments.AsArgument();

    private static readonly Option<string?> Write = new("--write", "-w")
    {
        Description = "Write the manifest, with all that is known, to this file; without a file to where it belongs.",
        HelpName = "file",
        Arity = ArgumentArity.ZeroOrOne,
    };

    private static readonly Option<bool> Force = new("--force") { Description = "Overwrite a manifest that is there." };

    /// <summary>The command.</summary>
    public static Command Create()
    {
        var command = new Command("inspect", "Says what was understood of an ONNX file and what is missing, and drafts its manifest.");
        Model.AddTo(command);
        command.Add(Write);
        command.Add(Force);
        command.SetAction(RunAsync);
        return command;
    }

    private static async Task<int> RunAsync(ParseResult line, CancellationToken cancellationToken)
    {
        var screen = new Screen();
        var (place, inspection) = Model.Inspect(line);
        var warning = inspection.Missing.Count == 0 ? await ScoreTrial.RunAsync(Model.Read(line), cancellationToken) : null;
        InspectionReport.Print(inspection, warning, screen);
        if (line.GetResult(Write) is not null)
        {
            Save(inspection, place, line.GetValue(Write) ?? place.Manifest, line.GetValue(Force), screen);
        }
        else
        {
            screen.Line();
            screen.Line(inspection.Manifest is null ? "model.json as far as it is known:" : "model.json:");
            screen.Line(inspection.Draft.TrimEnd());
        }

        return inspection.Missing.Count == 0 ? ExitCode.Done : ExitCode.Failed;
    }

    private static void Save(ModelInspection inspection, ModelPlace place, string path, bool overwrite, Screen screen)
    {
        path = Path.GetFullPath(path);
        if (File.Exists(path) && !overwrite)
        {
            throw new CommandException($"{path} exists already; --force overwrites it.");
        }

        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllText(path, inspection.Draft);
        screen.Line();
        screen.Line($"Written: {path}");
        if (place.IsBare)
        {
            screen.Line($"It is used once the model is at {Path.Combine(Path.GetDirectoryName(path)!, "model.onnx")}.");
        }
    }
}
