using Detection.Inference.Heads;
using Microsoft.ML.OnnxRuntime;
using Microsoft.ML.OnnxRuntime.Tensors;

namespace Detection.Inference.Graphs;

/// <summary>An output of a graph.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">Type of its values.</param>
/// <param name="HasBatch">Whether its first dimension is the picture's place in the batch.</param>
/// <param name="Grows">Whether that dimension grows with a batch that the input leaves open.</param>
/// <param name="IsAsDeclared">
/// Whether a run had the shape that the graph declares. PaddlePaddle's converter declares as many boxes as there are cells where the
/// suppression leaves fewer.
/// </param>
internal sealed record GraphOutput(string Name, TensorElementType Type, bool HasBatch, bool Grows, bool IsAsDeclared);

/// <summary>
/// Finds the outputs of a graph that have a row for each picture of the batch, and those that have a row for each object. Graphs that include
/// suppression leave both dimensions open, so these are found in runs with different pictures.
/// </summary>
internal sealed class GraphOutputs
{
    /// <summary>A row of an object has at most this many numbers: picture, box, class and score. A longer row belongs to a picture.</summary>
    private const int MaxObjectLength = 7;

    private static readonly TrialPicture[] Pictures =
        [TrialPicture.Black, TrialPicture.Noise, TrialPicture.NoiseFraction, TrialPicture.White, TrialPicture.WhiteFraction];

    private readonly int _batch;
    private readonly GraphTrial _trial;
    private readonly List<Seen> _outputs;

    private GraphOutputs(int batch, GraphTrial trial, List<Seen> outputs) => (_batch, _trial, _outputs) = (batch, trial, outputs);

    /// <summary>Whether all trial pictures had one object in some output, so that its rows may belong to objects or to pictures.</summary>
    public bool HasDoubt => _outputs.Exists(o => o.InDoubt);

    /// <summary>Examines the outputs of a graph.</summary>
    /// <param name="session">Session of the unchanged graph in the file.</param>
    /// <param name="fixedBatch">The only batch size that the graph accepts; 0 when it accepts any.</param>
    /// <param name="batchNames">Names of the open batch dimension.</param>
    /// <param name="trial">Runs it.</param>
    /// <exception cref="OnnxRuntimeException">A run is needed and fails.</exception>
    public static GraphOutputs Of(InferenceSession session, int fixedBatch, IReadOnlySet<string> batchNames, GraphTrial trial)
    {
        var outputs = session.OutputNames.Select(name => new Seen(name, session.OutputMetadata[name])).ToList();
        int batch = Math.Max(fixedBatch, 1);
        foreach (var output in outputs)
        {
            output.Declare(batch, fixedBatch == 0, batchNames);
            output.IsAsDeclared = trial.Known(batch, TrialPicture.Black) is not { } run || output.Has(run[output.Name].Shape);
        }

        if (outputs.Exists(o => o.IsOpen))
        {
            TryPictures(outputs, batch, trial);
            if (fixedBatch == 0)
            {
                TryTwo(outputs, trial);
            }
        }

        return new GraphOutputs(batch, trial, outputs);
    }

    /// <summary>The outputs in the graph's order.</summary>
    /// <param name="objects">Whether rows of outputs in doubt belong to objects.</param>
    public IReadOnlyList<GraphOutput> List(bool objects) =>
        [.. _outputs.Select(o => o.InDoubt && objects
            ? new GraphOutput(o.Name, o.Type, HasBatch: false, Grows: false, o.IsAsDeclared)
            : new GraphOutput(o.Name, o.Type, o.HasBatch, o.Grows, o.IsAsDeclared))];

    /// <summary>The outputs of one picture, all 0, with the declared shape, or else with the shape for a black picture.</summary>
    /// <param name="objects">Whether rows of outputs in doubt belong to objects.</param>
    /// <exception cref="OnnxRuntimeException">A run is needed and fails.</exception>
    public List<OutputTensor> Tensors(bool objects)
    {
        var tensors = new List<OutputTensor>();
        foreach (var output in _outputs)
        {
            bool hasBatch = output.HasBatch && !(output.InDoubt && objects);
            int[] shape = output.IsDeclared(hasBatch) ? output.Dimensions : _trial.Run(_batch, TrialPicture.Black)[output.Name].Shape;
            shape = hasBatch && shape.Length > 0 ? shape[1..] : shape;
            long count = TensorElements.Count(Array.ConvertAll(shape, d => (long)d));
            if (count > GraphTrial.MaxValues)
            {
                throw new Manifest.ModelException($"output {output.Name} has {count} values; a detector has at most {GraphTrial.MaxValues}.");
            }

            tensors.Add(new OutputTensor(output.Name, shape, new float[count]));
        }

        return tensors;
    }

    private static void TryPictures(List<Seen> outputs, int batch, GraphTrial trial)
    {
        foreach (var picture in Pictures)
        {
            IReadOnlyDictionary<string, TrialOutput> result;
            try
            {
                result = trial.Run(batch, picture);
            }
            catch (RunTimeoutException) when (picture != TrialPicture.Black)
            {
                // Other pictures may take as long.
                return;
            }
            catch (OnnxRuntimeException) when (picture != TrialPicture.Black)
            {
                // The other pictures show enough.
                continue;
            }

            foreach (var output in outputs.Where(o => o.IsOpen))
            {
                output.HasBatch &= result[output.Name].Shape is [var first, ..] && first == batch;
            }

            if (!outputs.Exists(o => o.InDoubt))
            {
                return;
            }
        }
    }

    private static void TryTwo(List<Seen> outputs, GraphTrial trial)
    {
        IReadOnlyDictionary<string, TrialOutput>? result = null;
        if (outputs.Exists(o => o is { IsOpen: true, HasBatch: true }))
        {
            try
            {
                result = trial.Run(2, TrialPicture.Noise);
            }
            catch (Exception e) when (e is OnnxRuntimeException or RunTimeoutException)
            {
                // The graph declares any number of pictures but accepts one: no output follows the batch size.
            }
        }

        foreach (var output in outputs.Where(o => o.IsOpen))
        {
            output.Grows = output.HasBatch && result?[output.Name].Shape is [2, ..];
        }

        if (result is not null && outputs.Exists(o => o is { IsOpen: true, IsNamed: true, Grows: false }))
        {
            // The name of the batch dimension is used although the graph has none.
            outputs.ForEach(o => o.IsNamed = false);
        }
    }

    /// <summary>An output, and what is known about it so far.</summary>
    private sealed class Seen(string name, NodeMetadata data)
    {
        public string Name => name;

        public TensorElementType Type => data.ElementDataType;

        public int[] Dimensions => data.Dimensions;

        /// <summary>Whether its first dimension must be found in runs.</summary>
        public bool IsOpen { get; private set; }

        /// <summary>Whether its first dimension has the name of the batch.</summary>
        public bool IsNamed { get; set; }

        public bool HasBatch { get; set; }

        public bool Grows { get; set; }

        /// <summary>Whether a run had the declared shape, as far as one was made.</summary>
        public bool IsAsDeclared { get; set; } = true;

        /// <summary>Whether its rank fits both, and no run has shown which it is.</summary>
        public bool InDoubt => IsOpen && HasBatch && !IsNamed && Dimensions.Length <= 2;

        /// <summary>Whether the graph declares the whole shape of a picture's part.</summary>
        public bool IsDeclared(bool hasBatch) => Dimensions.Length > 0 && Dimensions.Skip(hasBatch ? 1 : 0).All(d => d > 0);

        /// <summary>Whether a run's shape has the numbers that the graph declares.</summary>
        public bool Has(int[] shape) => Dimensions.Length == 0 || (shape.Length == Dimensions.Length && shape.Zip(Dimensions).All(d => d.Second < 0 || d.First == d.Second));

        public void Declare(int batch, bool takesAny, IReadOnlySet<string> batchNames)
        {
            if (Dimensions is [>= 0, ..])
            {
                // The graph declares any number of pictures, but the output is for one: it accepts only one.
                HasBatch = Dimensions[0] == batch;
                return;
            }

            IsNamed = Dimensions.Length > 0 && takesAny && batchNames.Contains(data.SymbolicDimensions[0]);
            (HasBatch, Grows) = (true, IsNamed);

            // Exports of torchvision's models also call the dimension of objects "batch".
            IsOpen = !IsNamed || Dimensions.Length == 1 || (Dimensions.Length == 2 && Dimensions[1] <= MaxObjectLength);
        }
    }
}
