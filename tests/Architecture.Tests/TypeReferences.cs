using Mono.Cecil;

namespace Detection.Architecture.Tests;

/// <summary>
/// The types that a type uses: base types, types of members, attributes, and all types in the bodies of its methods, with lambdas and
/// asynchronous methods. Types of local variables are not read, because they differ between Debug and Release; the call or field that gives the
/// value is read. ArchUnitNET does not read asynchronous lambdas.
/// </summary>
internal static class TypeReferences
{
    public static HashSet<TypeName> Of(TypeDefinition type)
    {
        var found = new HashSet<TypeName>();
        Collect(type, found);
        return found;
    }

    /// <summary>The type, or its outer type when it is nested.</summary>
    public static TypeName NameOf(TypeReference type)
    {
        while (type.DeclaringType is not null)
        {
            type = type.DeclaringType;
        }

        var assembly = type.Scope is ModuleDefinition module ? module.Assembly.Name.Name : type.Scope.Name;
        return new TypeName(assembly, type.Namespace, type.Name);
    }

    private static void Collect(TypeDefinition type, HashSet<TypeName> found)
    {
        Add(type.BaseType, found);
        AddAttributes(type, found);
        AddConstraints(type, found);
        foreach (var implemented in type.Interfaces)
        {
            Add(implemented.InterfaceType, found);
        }

        foreach (var field in type.Fields)
        {
            Add(field.FieldType, found);
            AddAttributes(field, found);
        }

        foreach (var property in type.Properties)
        {
            AddAttributes(property, found);
        }

        foreach (var method in type.Methods)
        {
            Collect(method, found);
        }

        foreach (var nested in type.NestedTypes)
        {
            Collect(nested, found);
        }
    }

    private static void Collect(MethodDefinition method, HashSet<TypeName> found)
    {
        AddAttributes(method, found);
        AddAttributes(method.MethodReturnType, found);
        AddConstraints(method, found);
        AddSignature(method, found);
        foreach (var parameter in method.Parameters)
        {
            AddAttributes(parameter, found);
        }

        if (!method.HasBody)
        {
            return;
        }

        foreach (var handler in method.Body.ExceptionHandlers)
        {
            Add(handler.CatchType, found);
        }

        foreach (var instruction in method.Body.Instructions)
        {
            switch (instruction.Operand)
            {
                case TypeReference named:
                    Add(named, found);
                    break;
                case FieldReference field:
                    Add(field.DeclaringType, found);
                    Add(field.FieldType, found);
                    break;
                case MethodReference called:
                    Add(called.DeclaringType, found);
                    AddSignature(called, found);
                    break;
            }
        }
    }

    private static void AddSignature(MethodReference method, HashSet<TypeName> found)
    {
        Add(method.ReturnType, found);
        foreach (var parameter in method.Parameters)
        {
            Add(parameter.ParameterType, found);
        }

        foreach (var argument in method is GenericInstanceMethod generic ? generic.GenericArguments : [])
        {
            Add(argument, found);
        }
    }

    private static void AddConstraints(IGenericParameterProvider generic, HashSet<TypeName> found)
    {
        foreach (var constraint in generic.GenericParameters.SelectMany(static parameter => parameter.Constraints))
        {
            Add(constraint.ConstraintType, found);
        }
    }

    private static void AddAttributes(ICustomAttributeProvider annotated, HashSet<TypeName> found)
    {
        foreach (var attribute in annotated.CustomAttributes)
        {
            Add(attribute.AttributeType, found);
            foreach (var argument in attribute.ConstructorArguments.Concat(attribute.Properties.Select(static property => property.Argument)))
            {
                AddArgument(argument, found);
            }
        }
    }

    private static void AddArgument(CustomAttributeArgument argument, HashSet<TypeName> found)
    {
        Add(argument.Type, found);
        switch (argument.Value)
        {
            case TypeReference type:
                Add(type, found);
                break;
            case CustomAttributeArgument boxed:
                AddArgument(boxed, found);
                break;
            case CustomAttributeArgument[] several:
                Array.ForEach(several, one => AddArgument(one, found));
                break;
        }
    }

    private static void Add(TypeReference? type, HashSet<TypeName> found)
    {
        switch (type)
        {
            case null or GenericParameter:
                break;
            case GenericInstanceType generic:
                Add(generic.ElementType, found);
                foreach (var argument in generic.GenericArguments)
                {
                    Add(argument, found);
                }

                break;
            case TypeSpecification specification: // arrays, references, pointers
                Add(specification.ElementType, found);
                break;
            default:
                found.Add(NameOf(type));
                break;
        }
    }
}
