using System.Runtime.CompilerServices;
using Detection.Inference.Heads;
using Detection.Inference.Manifest;
using Detection.Inference.Preprocessing;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Graphs;

/// <summary>The information about a model's graph that a device needs: read from the file once, and checked against the manifest.</summary>
internal sealed class ModelGraph
{
    private const int MaxTrialBatch = 4;

    /// <summary>
    /// Graphs that were read, for as long as their source is in use. Another device, or a device that reloads its model, then needs no trial runs.
    /// </summary>
    private static readonly ConditionalWeakTable<ModelSource, ModelGraph> Known = [];

    private readonly Dictionary<string, long> _freeDimensions = [];
    private readonly HashSet<string> _freeBatch = new(StringComparer.Ordinal);
    private readonly PictureInput _input;

    private ModelGraph(ModelSource model, RunBounds bounds)
    {
        Model = model;
        using var session = OpenFile(model, GraphReader.Open);
        var reader = new GraphReader(session, Fault);
        _input = FindInput(session);
        NameFreeDimensions();
        Sides = reader.FindSides(InputName);
        if (FixedBatch == 0)
        {
            _freeBatch.UnionWith(Sides.Select(side => side.Batch).Where(name => name.Length > 0));
        }

        Outputs = FindOutputs(session, reader, bounds);
        if (FixedBatch > 1 && Outputs.FirstOrDefault(o => !o.HasBatch) is { } output)
        {
            throw Fault($"it takes {FixedBatch} pictures but output {output.Name} does not tell them apart; export it with batch 1");
        }
    }

    /// <summary>The model.</summary>
    public ModelSource Model { get; }

    /// <summary>The form of the input.</summary>
    public InputSpec Input => Model.Manifest.Input;

    /// <summary>Name of the picture input.</summary>
    public string InputName => _input.Name;

    /// <summary>Its inputs beside the picture.</summary>
    public IReadOnlyList<SideInput> Sides { get; }

    /// <summary>Type of the values of the picture input.</summary>
    public TensorElementType InputType => _input.Type;

    /// <summary>The only batch size that the graph accepts; 0 when it accepts any.</summary>
    public int FixedBatch => _input.FixedBatch;

    /// <summary>The outputs in the graph's order.</summary>
    public IReadOnlyList<GraphOutput> Outputs { get; }

    /// <summary>Whether a run may have any number of pictures.</summary>
    public bool TakesAnyBatch => FixedBatch == 0 && Outputs.All(o => o.Grows);

    /// <summary>Reads a model's graph, only once for a source whose files are unchanged.</summary>
    /// <exception cref="ModelException">The graph cannot be read, or does not fit its manifest.</exception>
    public static ModelGraph Read(ModelSource model, RunBounds bounds)
    {
        if (Known.TryGetValue(model, out var known))
        {
            return known;
        }

        var graph = new ModelGraph(model, bounds);
        if (ModelVersion.IsUnchanged(model))
        {
            Known.AddOrUpdate(model, graph);
        }

        return graph;
    }

    /// <summary>Shape of the picture input.</summary>
    public long[] InputShape(int batch) => _input.Shape(batch);

    /// <summary>
    /// Opens a session for one batch size. Dimensions that the file leaves open are fixed, so that the runtime can compute the shapes of the outputs
    /// and plan its memory.
    /// </summary>
    /// <exception cref="ModelException">The file cannot be read or has operators that the runtime lacks.</exception>
    public InferenceSession Open(SessionOptions options, int batch)
    {
        foreach (var (name, size) in _freeDimensions)
        {
            options.AddFreeDimensionOverrideByName(name, size);
        }

        foreach (string name in _freeBatch)
        {
            options.AddFreeDimensionOverrideByName(name, batch);
        }

        return OpenFile(Model, path => OnnxFile.Open(path, options));
    }

    private static InferenceSession OpenFile(ModelSource model, Func<string, InferenceSession> open)
    {
        try
        {
            return open(model.Path);
        }
#pragma warning disable CA1031 // A file may make the runtime or a library throw any exception; it becomes a problem of that model.
        catch (Exception e)
#pragma warning restore CA1031
        {
            throw ModelFault.Of($"Model {model.Name} cannot be loaded from {Path.GetFileName(model.Path)}", e);
        }
    }

    private ModelException Fault(string what) => new($"Model {Model.Name} cannot be used: {what}.");

    private PictureInput FindInput(InferenceSession session)
    {
        string name = Input.Name ?? session.InputNames[0];
        if (!session.InputMetadata.TryGetValue(name, out var data))
        {
            throw Fault(
                $"it has no input {name} but {string.Join(", ", session.InputNames)}; correct input.name in model.json");
        }

        var input = new PictureInput(name, data, Input.Layout, Input.Width, Input.Height);
        var wanted = Input.Element switch
        {
            TensorElement.Float32 => TensorElementType.Float,
            TensorElement.Float16 => TensorElementType.Float16,
            _ => TensorElementType.UInt8,
        };
        if (input.Type != wanted)
        {
            throw Fault($"input {name} takes {input.Type} and its manifest says {Input.Element}; correct input.element in model.json");
        }

        if (data.Dimensions.Length != 4)
        {
            throw Fault($"input {name} has {data.Dimensions.Length} dimensions, not 4; export the model with one picture input");
        }

        return input.Fits
            ? input
            : throw Fault(
                $"input {name} has the shape [{string.Join(", ", data.Dimensions)}] and its manifest says "
                + $"[batch, {string.Join(", ", input.Shape(1).Skip(1))}]; correct the size or the layout of input in model.json");
    }

    /// <summary>Records the dimensions that the file leaves open, by name.</summary>
    private void NameFreeDimensions()
    {
        long[] shape = _input.Shape(1);
        var (dimensions, symbols) = (_input.Data.Dimensions, _input.Data.SymbolicDimensions);
        for (int i = 1; i < shape.Length; i++)
        {
            string symbol = symbols[i];
            if (dimensions[i] >= 0 || !IsName(symbol))
            {
                continue;
            }

            if (_freeDimensions.TryGetValue(symbol, out long other) && other != shape[i])
            {
                throw Fault($"its input calls two dimensions \"{symbol}\", of {other} and of {shape[i]}; export it with a name for each");
            }

            _freeDimensions[symbol] = shape[i];
        }

        if (FixedBatch == 0 && symbols[0] is var batch && IsName(batch))
        {
            _freeBatch.Add(batch);
        }

        if (_freeDimensions.FirstOrDefault(d => _freeBatch.Contains(d.Key)) is { Key: not null } shared)
        {
            throw Fault($"its input calls both the batch and the size \"{shared.Key}\"; export it with a name for each");
        }
    }

    /// <summary>InsightFace's exporter writes a question mark for every dimension that is open.</summary>
    private static bool IsName(string? symbol) => symbol is { Length: > 0 } and not "?";

    private IReadOnlyList<GraphOutput> FindOutputs(InferenceSession session, GraphReader reader, RunBounds bounds)
    {
        var trial = reader.Try(_input, Sides, bounds);
        try
        {
            RefuseHugeRuns(trial);
            var outputs = GraphOutputs.Of(session, FixedBatch, _freeBatch, trial);
            return outputs.List(objects: outputs.HasDoubt && Reads(outputs.Tensors(objects: true)));
        }
        catch (Exception e) when (e is OnnxRuntimeException or RunTimeoutException)
        {
            throw ModelFault.Of($"Model {Model.Name} cannot be run", e);
        }
    }

    /// <summary>
    /// Runs a black picture within limited memory and time, because a serving session runs without these limits. Other errors are left to the serving
    /// sessions; batches of many pictures may need more.
    /// </summary>
    private void RefuseHugeRuns(GraphTrial trial)
    {
        if (FixedBatch > MaxTrialBatch)
        {
            return;
        }

        try
        {
            trial.Run(Math.Max(FixedBatch, 1), TrialPicture.Black);
        }
        catch (OnnxRuntimeException e) when (TrialMemory.IsExceeded(e))
        {
            throw Fault($"a run on a picture takes more than {TrialMemory.MaxBytes / (1024 * 1024)} MiB of memory ({ModelFault.Reason(e)})");
        }
        catch (OnnxRuntimeException)
        {
            // The serving session reports it, on its own device.
        }
    }

    /// <summary>Whether the family finds its outputs among these.</summary>
    private bool Reads(IReadOnlyList<OutputTensor> outputs)
    {
        try
        {
            GraphReader.CheckHead(Model.Manifest, outputs);
            return true;
        }
        catch (ModelException)
        {
            return false;
        }
    }
}
