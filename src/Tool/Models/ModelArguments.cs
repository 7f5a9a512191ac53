using System.CommandLine;
using Detection.Inference.Inspection;
using Detection.Inference.Labels;
using Detection.Inference.Manifest;
using Detection.Inference.Repository;
using Detection.Tool.CommandLine;

namespace Detection.Tool.Models;

/// <summary>The arguments that name the model of a command.</summary>
internal sealed class ModelArguments
{
    private const string What = "Name of a model, an ONNX file, or the folder of one.";

    private readonly Option<string?>? _option;
    private readonly Argument<string>? _argument;
    private readonly Option<DirectoryInfo?> _folder = new("--models")
    {
        Description = "Folder in which models are found by name. Default: ./models, then the models that came with the tool.",
        HelpName = "folder",
    };

    private readonly Option<string?> _names = new("--names")
    {
        Description = "Class names for an ONNX file that carries none: a text file with one name a line, a label set (coco80), or the model whose names to take.",
        HelpName = "file|set|model",
    };

    private ModelArguments(Option<string?>? option, Argument<string>? argument)
    {
        (_option, _argument) = (option, argument);
    }

    /// <summary>The model as an option with a default.</summary>
    public static ModelArguments AsOption() => new(new("--model", "-m") { Description = $"{What} Default: {DefaultName}.", HelpName = "model" }, null);

    /// <summary>The model as the first argument.</summary>
    public static ModelArguments AsArgument() => new(null, new("model") { Description = What });

    private static string DefaultName { get; } = new ModelOptions().Default;

    /// <summary>Adds them to a command.</summary>
    public void AddTo(Command command)
    {
        if (_argument is not null)
        {
            command.Add(_argument);
        }

        if (_option is not null)
        {
            command.Add(_option);
        }

        command.Add(_folder);
        command.Add(_names);
    }

    /// <summary>Reads the model.</summary>
    /// <exception cref="ModelException">The model cannot be used.</exception>
    /// <exception cref="CommandException">The model cannot be found.</exception>
    public ModelSource Read(ParseResult line)
    {
        var names = Names(line);
        try
        {
            return ModelFile.Read(Find(line), names);
        }
        catch (ModelException e) when (names is null && e.Message.Contains("\"labels\"", StringComparison.Ordinal))
        {
            throw new ModelException($"{e.Message} Here, --names can give the class names too.", e);
        }
    }

    /// <summary>Inspects the model that the arguments name.</summary>
    /// <exception cref="ModelException">It is no detector, or contradicts its manifest.</exception>
    /// <exception cref="CommandException">It cannot be found.</exception>
    public (ModelPlace Place, ModelInspection Inspection) Inspect(ParseResult line)
    {
        var place = ModelPlace.Of(Find(line));
        return (place, ModelInspector.Inspect(place.Onnx, !place.IsBare && File.Exists(place.Manifest) ? place.Manifest : null, Names(line)));
    }

    private string Find(ParseResult line)
    {
        var model = (_argument is not null ? line.GetValue(_argument) : line.GetValue(_option!)) ?? DefaultName;
        return File.Exists(model) || model.EndsWith(".onnx", StringComparison.OrdinalIgnoreCase) || (Directory.Exists(model) && File.Exists(ModelPlace.Of(model).Onnx))
            ? Path.GetFullPath(model)
            : FindByName(model, line);
    }

    private string FindNamed(string model, ParseResult line)
    {
        try
        {
            return FindByName(model, line);
        }
        catch (CommandException e)
        {
            throw new CommandException($"{e.Message} --names takes a text file, a label set ({string.Join(", ", LabelSets.Names)}) or one of these models.");
        }
    }

    private string FindByName(string name, ParseResult line)
    {
        var folders = Folders(line);
        var found = folders.Select(folder => ModelRepository.FindPath(folder, name)).FirstOrDefault(path => path is not null);
        if (found is not null)
        {
            return found;
        }

        var known = folders.SelectMany(ModelRepository.FindNames).Distinct().Order(StringComparer.Ordinal).ToList();
        throw new CommandException(
            $"There is no model {name}: it is neither an ONNX file nor in {string.Join(" or ", folders)}"
            + (known.Count > 0 ? $"; there are {string.Join(", ", known)}." : ", which has none."));
    }

    private List<string> Folders(ParseResult line) => line.GetValue(_folder) is { } folder
        ? [folder.Exists ? folder.FullName : throw new CommandException($"There is no folder {folder}; correct --models.")]
        : [.. new[] { Path.GetFullPath("models"), new ModelOptions().Directory }.Where(Directory.Exists).Distinct()];

    private IReadOnlyList<string>? Names(ParseResult line) => line.GetValue(_names) switch
    {
        null => null,
        var file when File.Exists(file) => [.. File.ReadLines(file).Select(name => name.Trim()).Where(name => name.Length > 0)],
        var set when LabelSets.Find(set) is { } names => names,
        var model => ModelFile.Read(FindNamed(model, line)).Manifest.Labels,
    };
}
